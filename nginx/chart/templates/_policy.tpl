{{/* What the chart reads in the policy, and the files and variables with which the gateway reads it. */}}

{{/* The section gateway of the policy with its overlays, as JSON. Keys are replaced or removed as an overlay does it. */}}
{{- define "meshgate.gateway" -}}
{{- $merged := dict -}}
{{- $texts := list (dict "name" "policy" "text" .Values.policy) -}}
{{- range .Values.overlays -}}
{{- $texts = append $texts (dict "name" (printf "policyFiles.%q" .) "text" (index $.Values.policyFiles .)) -}}
{{- end -}}
{{- range $texts -}}
{{- $text := .text -}}
{{- range $name, $value := $.Values.variables -}}
{{- $text = replace (printf "${%s}" $name) (include "meshgate.text" $value) $text -}}
{{- end -}}
{{- $read := fromYaml $text -}}
{{- if hasKey $read "Error" -}}
{{- fail (printf "%s is not a YAML mapping: %s" .name $read.Error) -}}
{{- end -}}
{{- $merged = fromJson (include "meshgate.merge" (list $merged (default dict $read.gateway))) -}}
{{- end -}}
{{- toJson $merged -}}
{{- end -}}

{{/* (list BASE OVER): mappings are merged by key, and null removes a key. */}}
{{- define "meshgate.merge" -}}
{{- $base := index . 0 -}}
{{- range $key, $value := index . 1 -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $base $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $base $key)) -}}
{{- $_ := set $base $key (fromJson (include "meshgate.merge" (list (get $base $key) $value))) -}}
{{- else -}}
{{- $_ := set $base $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $base -}}
{{- end -}}

{{/* What the objects depend on, as JSON. */}}
{{- define "meshgate.facts" -}}
{{- include "meshgate.checkPolicy" . -}}
{{- $gateway := fromJson (include "meshgate.gateway" .) -}}
{{- $sessions := hasKey $gateway "session" -}}
{{- $shared := or (hasKey $gateway "store") .Values.etcd.enabled -}}
{{- $one := and $sessions (not $shared) -}}
{{- $health := "" -}}
{{- if $gateway.health -}}
{{- $health = regexFind "[0-9]+$" (toString (default "" $gateway.health.listen)) -}}
{{- end -}}
{{- $witnessKeys := list -}}
{{- range dig "witnesses" list (default dict $gateway.audit) -}}{{- $witnessKeys = append $witnessKeys .key -}}{{- end -}}
{{- $facts := dict
  "sessions" $sessions
  "store" (hasKey $gateway "store")
  "one" $one
  "volume" (and $one (not (dig "session" "insecure_forget_revocations" false $gateway)))
  "listen" (int (default 8443 $gateway.listen))
  "plain" (eq (toString $gateway.insecure_http) "true")
  "publicPort" (int (default 443 $gateway.public_port))
  "inner" (ternary (int (dig "listen" 8444 (default dict $gateway.inner))) 0 (hasKey $gateway "inner"))
  "health" $health
  "audit" (hasKey $gateway "audit")
  "auditFile" (dig "log" "/var/log/meshgate/access.log" (default dict $gateway.audit))
  "auditLog" (dir (dig "log" "/var/log/meshgate/access.log" (default dict $gateway.audit)))
  "auditFolder" (dig "folder" "/var/lib/meshgate/audit" (default dict $gateway.audit))
  "witnessKeys" (join " " $witnessKeys)
  "witnesses" (not (empty (dig "witnesses" list (default dict $gateway.audit))))
  "healthLocal" (regexMatch "^(127[.]|[[]::1[]])" (toString (dig "listen" "" (default dict $gateway.health)))) -}}
{{- $_ := set $facts "kind" (ternary "StatefulSet" "Deployment" (and $facts.audit .Values.audit.persistent)) -}}
{{- $_ := set $facts "replicas" (ternary 1 2 $one) -}}
{{- if not (kindIs "invalid" .Values.replicas) -}}
{{- $_ := set $facts "replicas" (int .Values.replicas) -}}
{{- end -}}
{{- toJson $facts -}}
{{- end -}}

{{/* The names of the files in the ConfigMap: a key may have no slash. */}}
{{- define "meshgate.key" -}}
{{- replace "/" "__" . -}}
{{- end -}}

{{- define "meshgate.policyData" -}}
{{- $data := dict "meshgate.yaml" .Values.policy -}}
{{- range $path, $text := .Values.policyFiles -}}
{{- $_ := set $data (include "meshgate.key" $path) $text -}}
{{- end -}}
{{- if .Values.etcd.enabled -}}
{{- $_ := set $data "chart-store.yaml" (include "meshgate.storeOverlay" .) -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{- define "meshgate.storeOverlay" -}}
# The chart's own etcd (etcd.enabled).
gateway:
  store:
    etcd:
      {{- range until (int .Values.etcd.members) }}
      - {{ printf "https://%s:2379" (include "meshgate.etcdMember" (list $ .)) | quote }}
      {{- end }}
    ca_file: /run/store/ca.crt
    cert_file: /run/store/tls.crt
    key_file: /run/store/tls.key
{{ end -}}

{{/* The volume of the policy: (list $ CONFIGMAP). */}}
{{- define "meshgate.policyVolume" -}}
{{- $root := index . 0 -}}
name: policy
configMap:
  name: {{ index . 1 }}
  {{- if contains "/" (keys $root.Values.policyFiles | join "") }}
  items:
    - { key: meshgate.yaml, path: meshgate.yaml }
    {{- range $path, $_ := $root.Values.policyFiles }}
    - { key: {{ include "meshgate.key" $path | quote }}, path: {{ $path | quote }} }
    {{- end }}
    {{- if $root.Values.etcd.enabled }}
    - { key: chart-store.yaml, path: chart-store.yaml }
    {{- end }}
  {{- end }}
{{- end -}}

{{/* The overlays as paths in the container, separated by spaces. */}}
{{- define "meshgate.overlays" -}}
{{- $paths := list -}}
{{- range .Values.overlays -}}
{{- $paths = append $paths (printf "/etc/meshgate/%s" .) -}}
{{- end -}}
{{- if .Values.etcd.enabled -}}
{{- $paths = append $paths "/etc/meshgate/chart-store.yaml" -}}
{{- end -}}
{{- join " " $paths -}}
{{- end -}}

{{- define "meshgate.variables" -}}
{{- range $name, $value := .Values.variables -}}
- { name: {{ $name | quote }}, value: {{ include "meshgate.text" $value | quote }} }
{{ end -}}
{{- end -}}

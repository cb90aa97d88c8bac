{{/* Values that contradict each other stop the render. Each message says what to write. */}}

{{- define "meshgate.checkPolicy" -}}
{{- if kindIs "map" .Values.policy -}}
{{- fail "policy is a mapping, and Helm sorts the keys of a mapping: the order of roles, agents and first_role would change. Write it as a text, \"policy: |\", or use --set-file policy=meshgate.yaml" -}}
{{- end -}}
{{- if not .Values.policy -}}
{{- fail "policy is missing: use --set-file policy=meshgate.yaml, or write \"policy: |\" and the policy below it" -}}
{{- end -}}
{{- range $path, $text := .Values.policyFiles -}}
{{- if not (kindIs "string" $text) -}}
{{- fail (printf "policyFiles.%q is not a text: write \"%s: |\", or use --set-file" $path $path) -}}
{{- end -}}
{{- if or (not (regexMatch "^[A-Za-z0-9._/-]+$" $path)) (hasPrefix "/" $path) (contains ".." $path) (contains "__" $path) (has $path (list "meshgate.yaml" "chart-store.yaml")) -}}
{{- fail (printf "policyFiles.%q: write a path below /etc/meshgate of letters, digits and \"._/-\", without \"..\" and \"__\", and another one than meshgate.yaml and chart-store.yaml" $path) -}}
{{- end -}}
{{- end -}}
{{- range .Values.overlays -}}
{{- if not (hasKey $.Values.policyFiles .) -}}
{{- fail (printf "overlays names %q, which is not in policyFiles" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "meshgate.checks" -}}
{{- $facts := fromJson (include "meshgate.facts" .) -}}
{{- if and $facts.store .Values.etcd.enabled -}}
{{- fail "the policy has gateway.store, and etcd.enabled is true: remove one of them" -}}
{{- end -}}
{{- if and .Values.etcd.enabled (not $facts.sessions) -}}
{{- fail "etcd.enabled is true, but the policy has no gateway.session, so replicas share nothing: set etcd.enabled to false" -}}
{{- end -}}
{{- if and $facts.one (or (gt (int $facts.replicas) 1) .Values.autoscaling.enabled) -}}
{{- fail "the policy has gateway.session, and several replicas must share revocations and refresh tokens: set etcd.enabled to true, write gateway.store into the policy, or leave replicas and autoscaling out" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not (kindIs "invalid" .Values.replicas)) -}}
{{- fail "replicas and autoscaling.enabled are both set: remove one of them" -}}
{{- end -}}
{{- if and (eq .Values.probes "http") (or (not $facts.health) $facts.healthLocal) -}}
{{- fail "probes is http, but the policy has no port for them: write gateway.health: { listen: 8081 } into the policy (not on 127.0.0.1), or set probes to exec" -}}
{{- end -}}
{{- if and (or .Values.networkPolicy.metrics .Values.metrics.serviceMonitor.enabled) (or (not $facts.health) $facts.healthLocal) -}}
{{- fail "metrics.serviceMonitor and networkPolicy.metrics need a port for metrics: write gateway.health: { listen: 8081 } into the policy (not on 127.0.0.1)" -}}
{{- end -}}
{{- range .Values.files -}}
{{- if eq (empty .secret) (empty .configMap) -}}
{{- fail (printf "files with the path %s: write one of secret and configMap" .path) -}}
{{- end -}}
{{- end -}}
{{- $folders := fromJsonArray (include "meshgate.folders" .) -}}
{{- range $folder, $_ := .Values.svid.identities -}}
{{- $folders = append $folders $folder -}}
{{- end -}}
{{- if eq .Values.svid.source "cert-manager" -}}
{{- $folders = append $folders .Values.svid.path -}}
{{- end -}}
{{- range $folders -}}
{{- if ne . (clean .) -}}
{{- fail (printf "the folder %s: write %s" . (clean .)) -}}
{{- end -}}
{{- if or (has . (list "/" "/etc" "/run" "/var" "/var/lib")) (regexMatch "^/((run|etc|var/lib)/meshgate|run/(store|spire)|etc/(nginx|ssl)|usr|bin|sbin|lib|lib64|proc|sys|dev)(/|$)" .) -}}
{{- fail (printf "the folder %s belongs to the gateway; choose another one, such as /run/secrets" .) -}}
{{- end -}}
{{- end -}}
{{- if $facts.audit -}}
{{- include "meshgate.checkAudit" . -}}
{{- $folders = concat $folders (list $facts.auditLog $facts.auditFolder) -}}
{{- end -}}
{{- if ne (len $folders) (len (uniq $folders)) -}}
{{- fail "files, svid and gateway.audit have the same folder: choose another one for one of them" -}}
{{- end -}}
{{- $hints := values .Values.svid.identities -}}
{{- if ne (len $hints) (len (uniq $hints)) -}}
{{- fail "svid.identities has a hint twice: write each hint once, with its folder" -}}
{{- end -}}
{{- range $name, $_ := .Values.variables -}}
{{- if or (hasPrefix "MESHGATE_" $name) (eq $name "PATH") -}}
{{- fail (printf "variables.%s is a variable of the image: choose another name" $name) -}}
{{- end -}}
{{- end -}}
{{- range list "name" "instance" "component" -}}
{{- if hasKey $.Values.podLabels (printf "app.kubernetes.io/%s" .) -}}
{{- fail (printf "podLabels: the chart selects its pods by app.kubernetes.io/%s; remove it" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas: write the smaller number as minReplicas" -}}
{{- end -}}
{{- if and (eq .Values.svid.source "spire") (not .Values.svid.identities) -}}
{{- fail "svid.source is spire, but svid.identities is empty: write { /run/spiffe/default: default }, a folder and its hint" -}}
{{- end -}}
{{- if and (ne .Values.svid.source "spire") .Values.svid.identities -}}
{{- fail "svid.identities needs svid.source: spire" -}}
{{- end -}}
{{- $tls := .Values.etcd.tls -}}
{{- if and .Values.etcd.enabled (eq $tls.source "secrets") (not (and $tls.serverSecret $tls.clientSecret)) -}}
{{- fail "etcd.tls.source is secrets: name both etcd.tls.serverSecret and etcd.tls.clientSecret" -}}
{{- end -}}
{{- if and (ne $tls.source "secrets") (or $tls.serverSecret $tls.clientSecret) -}}
{{- fail "etcd.tls.serverSecret and etcd.tls.clientSecret need etcd.tls.source: secrets" -}}
{{- end -}}
{{- end -}}

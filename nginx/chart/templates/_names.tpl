{{/* Names, labels and images. */}}

{{/* Other names begin with it, and it stands in arguments and addresses, so it is a name of Kubernetes and needs no quotes. */}}
{{- define "meshgate.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full = default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $full) -}}
{{- fail (printf "%q cannot be the name of a Service: write lower-case letters, digits and \"-\", with a letter first (fullnameOverride)" $full) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{/* Labels by which a component is selected: (list $ "gateway"). */}}
{{- define "meshgate.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "meshgate.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{ include "meshgate.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service | quote }}
{{- end -}}

{{/* A value as a text. Helm reads numbers as floating point, and toString would write 1e+07. */}}
{{- define "meshgate.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* A mapping whose values must be texts, as labels and annotations. */}}
{{- define "meshgate.texts" -}}
{{- range $key, $value := . }}
{{ $key | quote }}: {{ include "meshgate.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* No mesh gives its proxy to these pods: nginx and etcd speak TLS themselves, and a Job with a proxy may never end. */}}
{{- define "meshgate.noProxyLabels" -}}
sidecar.istio.io/inject: "false"
{{- end -}}
{{- define "meshgate.noProxyAnnotations" -}}
linkerd.io/inject: disabled
consul.hashicorp.com/connect-inject: "false"
{{- end -}}

{{- define "meshgate.metadata" -}}
name: {{ include "meshgate.fullname" (index . 0) }}
labels:
  {{- include "meshgate.labels" . | nindent 2 }}
{{- end -}}

{{/* (list IMAGE default-tag) */}}
{{- define "meshgate.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $image.repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $image.repository (default (index . 1) $image.tag) }}
{{- end -}}
{{- end -}}

{{- define "meshgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "meshgate.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* The security context of a pod: (list $ user). */}}
{{- define "meshgate.podSecurity" -}}
{{- $root := index . 0 -}}
runAsNonRoot: true
{{- if not $root.Values.openshift }}
runAsUser: {{ index . 1 }}
runAsGroup: {{ index . 1 }}
fsGroup: {{ index . 1 }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "meshgate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What all pods have in common, except their security context. */}}
{{- define "meshgate.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- include "meshgate.texts" . | trim | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

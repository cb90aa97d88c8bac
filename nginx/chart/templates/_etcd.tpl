{{/* The chart's own etcd. */}}

{{- define "meshgate.etcdName" -}}
{{- include "meshgate.fullname" . -}}-etcd
{{- end -}}

{{/* The name of a member in DNS, in full, because nginx does not use the search list: (list $ 0). */}}
{{- define "meshgate.etcdMember" -}}
{{- $root := index . 0 -}}
{{- $name := include "meshgate.etcdName" $root -}}
{{ $name }}-{{ index . 1 }}.{{ $name }}.{{ $root.Release.Namespace }}.svc.{{ $root.Values.clusterDomain }}
{{- end -}}

{{/* The Secret of one side: (list $ "server" or "client"). */}}
{{- define "meshgate.etcdSecret" -}}
{{- $root := index . 0 -}}
{{- $given := index $root.Values.etcd.tls (printf "%sSecret" (index . 1)) -}}
{{ default (printf "%s-%s" (include "meshgate.etcdName" $root) (index . 1)) $given }}
{{- end -}}

{{/* The names in the certificate of the members, as a JSON list: those of three members, so that it never changes. */}}
{{- define "meshgate.etcdNames" -}}
{{- $root := . -}}
{{- $names := list "localhost" -}}
{{- range until 3 -}}
{{- $names = append $names (include "meshgate.etcdMember" (list $root .)) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

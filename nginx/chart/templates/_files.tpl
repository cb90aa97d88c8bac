{{/* Volumes and mounts of the files that the policy names. */}}

{{/* The folders of `files`, each once, as a JSON list in the order of the values. */}}
{{- define "meshgate.folders" -}}
{{- $folders := list -}}
{{- range .Values.files -}}
{{- $folders = append $folders .path -}}
{{- end -}}
{{- $folders | uniq | toJson -}}
{{- end -}}

{{- define "meshgate.mounts" -}}
- { name: run, mountPath: /run/meshgate }
- { name: policy, mountPath: /etc/meshgate, readOnly: true }
{{- range $at, $folder := fromJsonArray (include "meshgate.folders" .) }}
- { name: files-{{ $at }}, mountPath: {{ $folder | quote }}, readOnly: true }
{{- end }}
{{- if (fromJson (include "meshgate.facts" .)).volume }}
- { name: state, mountPath: /var/lib/meshgate }
{{- end }}
{{- if .Values.etcd.enabled }}
- { name: store, mountPath: /run/store, readOnly: true }
{{- end }}
{{- with include "meshgate.auditMounts" . }}
{{ . }}
{{- end }}
{{- if eq .Values.svid.source "cert-manager" }}
- { name: svid, mountPath: {{ .Values.svid.path | quote }}, readOnly: true }
{{- end }}
{{- range $folder, $hint := .Values.svid.identities }}
- { name: {{ printf "svid-%s" $hint | quote }}, mountPath: {{ $folder | quote }}, readOnly: true }
{{- end }}
{{- end -}}

{{- define "meshgate.volumes" -}}
{{- $name := include "meshgate.fullname" . -}}
{{- $files := .Values.files -}}
- name: run
  emptyDir: { medium: Memory, sizeLimit: {{ .Values.runSize | quote }} }
- {{ include "meshgate.policyVolume" (list . (printf "%s-policy" $name)) | nindent 2 | trim }}
{{- range $at, $folder := fromJsonArray (include "meshgate.folders" .) }}
- name: files-{{ $at }}
  projected:
    defaultMode: 0440
    sources:
      {{- range $files }}
      {{- if eq .path $folder }}
      - {{ ternary "secret" "configMap" (not (empty .secret)) }}:
          name: {{ default .configMap .secret | quote }}
          {{- with .items }}
          items:
            {{- range $key, $file := . }}
            - { key: {{ $key | quote }}, path: {{ $file | quote }} }
            {{- end }}
          {{- end }}
      {{- end }}
      {{- end }}
{{- end }}
{{- if (fromJson (include "meshgate.facts" .)).volume }}
- name: state
  persistentVolumeClaim: { claimName: {{ default (printf "%s-state" $name) .Values.state.existingClaim | quote }} }
{{- end }}
{{- with include "meshgate.auditVolumes" . }}
{{ . }}
{{- end }}
{{- if .Values.etcd.enabled }}
- name: store
  secret: { secretName: {{ include "meshgate.etcdSecret" (list . "client") | quote }}, defaultMode: 0440 }
{{- end }}
{{- if eq .Values.svid.source "cert-manager" }}
- name: svid
  csi:
    driver: spiffe.csi.cert-manager.io
    readOnly: true
    {{- if not .Values.openshift }}
    volumeAttributes: { spiffe.csi.cert-manager.io/fs-group: "10101" }
    {{- end }}
{{- end }}
{{- if eq .Values.svid.source "spire" }}
- name: spire
  csi: { driver: csi.spiffe.io, readOnly: true }
- name: spiffe-helper
  configMap: { name: {{ $name }}-spiffe-helper }
{{- range $folder, $hint := .Values.svid.identities }}
- name: {{ printf "svid-%s" $hint | quote }}
  emptyDir: { medium: Memory, sizeLimit: 4Mi }
{{- end }}
{{- end }}
{{- end -}}

{{/* A container of spiffe-helper: (list $ FOLDER HINT). */}}
{{- define "meshgate.helper" -}}
{{- $root := index . 0 -}}
{{- $hint := index . 2 -}}
{{- $image := $root.Values.svid.helper.image -}}
image: {{ include "meshgate.image" (list $image $image.tag) | quote }}
securityContext:
  {{- include "meshgate.containerSecurity" $root | nindent 2 }}
resources:
  {{- toYaml $root.Values.svid.helper.resources | nindent 2 }}
volumeMounts:
  - { name: spire, mountPath: /run/spire, readOnly: true }
  - { name: spiffe-helper, mountPath: /etc/spiffe, readOnly: true }
  - { name: {{ printf "svid-%s" $hint | quote }}, mountPath: {{ index . 1 | quote }} }
{{- end -}}

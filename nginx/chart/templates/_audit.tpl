{{/* The sealed log: a policy with gateway.audit gets a sealer beside each gateway. */}}

{{/* Mounts of the gateway. It writes lines and cosignatures. Only the sealer writes the sealed log. */}}
{{- define "meshgate.auditMounts" -}}
{{- $facts := fromJson (include "meshgate.facts" .) -}}
{{- if $facts.audit -}}
- { name: audit, mountPath: {{ $facts.auditLog | quote }}, subPath: log }
- { name: audit, mountPath: {{ $facts.auditFolder | quote }}, subPath: sealed, readOnly: true }
# nginx stores the cosignatures of witnesses.
- { name: audit, mountPath: {{ printf "%s/witness" $facts.auditFolder | quote }}, subPath: sealed/witness }
{{- end }}
{{- end -}}

{{- define "meshgate.auditEnv" -}}
{{- if (fromJson (include "meshgate.facts" .)).audit -}}
- { name: MESHGATE_SEAL, value: "off" }
- { name: MESHGATE_INSTANCE, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
{{- end }}
{{- end -}}

{{/* The container of the sealer. It starts before the gateway, and ends after it. */}}
{{- define "meshgate.sealer" -}}
{{- $facts := fromJson (include "meshgate.facts" .) -}}
- name: seal
  image: {{ include "meshgate.image" (list .Values.image .Chart.AppVersion) | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
  restartPolicy: Always
  args: [meshgate-seal]
  env:
    - { name: MESHGATE_SEAL_KEY, value: /var/lib/meshgate-key }
    # It writes nowhere else, whatever the settings say.
    - { name: MESHGATE_SEAL_LOG, value: {{ $facts.auditFile | quote }} }
    - { name: MESHGATE_SEAL_FOLDER, value: {{ $facts.auditFolder | quote }} }
    # With a witness, the signing key stays the same. The settings cannot name another one.
    - { name: MESHGATE_SEAL_WITNESSES, value: {{ $facts.witnessKeys | quote }} }
  securityContext:
    {{- include "meshgate.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.audit.resources | nindent 4 }}
  volumeMounts:
    # The settings, which the gateway renders.
    - { name: run, mountPath: /run/meshgate, readOnly: true }
    - { name: audit, mountPath: {{ $facts.auditLog | quote }}, subPath: log }
    - { name: audit, mountPath: {{ $facts.auditFolder | quote }}, subPath: sealed }
    - { name: audit-key, mountPath: /var/lib/meshgate-key }
{{- end -}}

{{/* Volumes that end with the pod. */}}
{{- define "meshgate.auditVolumes" -}}
{{- $facts := fromJson (include "meshgate.facts" .) -}}
{{- if and $facts.audit (not .Values.audit.persistent) -}}
- name: audit
  emptyDir: { sizeLimit: {{ .Values.audit.size | quote }} }
- name: audit-key
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
{{- end }}
{{- end -}}

{{/* Volumes of each replica, which outlive it. */}}
{{- define "meshgate.auditClaims" -}}
{{- range list (dict "name" "audit" "of" .Values.audit) (dict "name" "audit-key" "of" .Values.audit.key) }}
- metadata: { name: {{ .name }} }
  spec:
    accessModes: [ReadWriteOnce]
    {{- if not (kindIs "invalid" .of.storageClass) }}
    storageClassName: {{ .of.storageClass | quote }}
    {{- end }}
    resources: { requests: { storage: {{ .of.size | quote }} } }
{{- end }}
{{- end -}}

{{/* Folders of gateway.audit that would hide something of the pod. */}}
{{- define "meshgate.checkAudit" -}}
{{- $facts := fromJson (include "meshgate.facts" .) -}}
{{- range $key, $folder := dict "log" $facts.auditLog "folder" $facts.auditFolder -}}
{{- if or (not (hasPrefix "/" $folder)) (ne $folder (clean $folder)) (has $folder (list "/" "/run" "/var" "/var/lib" "/var/lib/meshgate" "/var/lib/meshgate-key")) (regexMatch "^/((run|etc)/meshgate|run/(store|spire)|etc|usr|bin|sbin|lib|lib64|proc|sys|dev)(/|$)" $folder) -}}
{{- fail (printf "gateway.audit.%s needs a volume at %s, which belongs to the pod: leave the key out, or write a folder such as /srv/audit" $key $folder) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "parley.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "parley.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "parley.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "parley.modelImage" -}}
{{ .Values.model.image.repository | default .Values.image.repository }}:{{ .Values.model.image.tag | default .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "parley.secret" -}}
{{- if .Values.secret.existing -}}
{{ .Values.secret.existing }}
{{- else if .Values.secret.values -}}
{{ .Release.Name }}-secret
{{- else -}}
{{- fail "secret.existing must name a Secret with PARLEY_DATABASE_URL, PARLEY_BROKER_URL, PARLEY_SECRET_KEY and PARLEY_METRICS_TOKEN" -}}
{{- end -}}
{{- end }}

{{- define "parley.claim" -}}
{{ .Values.home.existingClaim | default (printf "%s-home" .Release.Name) }}
{{- end }}

{{- define "parley.model.urls" -}}
{{- $name := .Release.Name -}}
{{- range $i := until (int .Values.model.replicas) -}}
{{- if $i }},{{ end -}}http://{{ $name }}-model-{{ $i }}.{{ $name }}-model-each:8400/v1
{{- end -}}
{{- end }}

{{- define "parley.pod.security" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "parley.container.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "parley.environment" -}}
envFrom:
  - configMapRef: {name: {{ .Release.Name }}-settings}
  - secretRef: {name: {{ include "parley.secret" . }}}
{{- end }}

{{- define "parley.restart" -}}
checksum/settings: {{ toYaml .Values.settings | sha256sum }}
{{- end }}

{{- define "sequence-sync.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "sequence-sync.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sequence-sync.labels" -}}
{{ include "sequence-sync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "sequence-sync.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The service account of a component: a dict of `root` and `component`. */ -}}
{{- define "sequence-sync.serviceAccount" -}}
{{- if .root.Values.serviceAccount.create -}}
{{ .root.Values.serviceAccount.name | default (include "sequence-sync.name" .root) }}-{{ .component }}
{{- else -}}
{{ .root.Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "sequence-sync.configMap" -}}
{{ .Values.existingConfigMap | default (printf "%s-config" (include "sequence-sync.name" .)) }}
{{- end -}}

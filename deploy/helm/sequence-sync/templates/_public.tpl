{{- /* Everything of a component with a public port, `http`: the dict of its Deployment, and the `name` of its Service,
       its values for `service` and `ingress`, the one `path` that the Ingress leads there, and `hostIs`, what its host is. */ -}}
{{- define "sequence-sync.public" -}}
{{- $autoscaled := .values.autoscaling.enabled -}}
{{ include "sequence-sync.deployment" (merge (dict "scaled" $autoscaled) .) }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sequence-sync.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with .service.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .service.type }}
  selector:
    {{- include "sequence-sync.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  ports:
    - {name: http, port: {{ .service.port }}, targetPort: http}
{{- if .ingress.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sequence-sync.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with .ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  ingressClassName: {{ .ingress.className }}
  {{- with .ingress.tlsSecretName }}
  tls:
    - {hosts: [{{ $.ingress.host }}], secretName: {{ . }}}
  {{- end }}
  rules:
    - host: {{ required .hostIs .ingress.host }}
      http:
        paths:
          - path: {{ .path }}
            pathType: Prefix
            backend:
              service: {name: {{ .name }}, port: {name: http}}
{{- end }}
{{- if $autoscaled }}
---
{{ include "sequence-sync.autoscaler" . }}
{{- end }}
{{- if .values.disruptionBudget.enabled }}
---
{{ include "sequence-sync.disruptionBudget" . }}
{{- end }}
{{- end -}}

{{- /* The Deployment of a component: a dict of `root`, `component`, its `values`, its admin `port` and `grace`; `scaled`
       where something else says how many there are; `http`, its public port, if it has one; and, where the process
       itself has no delay before it drains, the `delay` until nobody sends it more. */ -}}
{{- define "sequence-sync.deployment" -}}
{{- $root := .root -}}
{{- $component := .component -}}
{{- $values := .values -}}
{{- $secrets := concat $root.Values.secrets $values.secrets -}}
{{- $federated := and $root.Values.federatedToken.enabled (ne $component "receiver") -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "sequence-sync.name" $root }}-{{ $component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "sequence-sync.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $component }}
spec:
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "sequence-sync.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ $component }}
  template:
    metadata:
      labels:
        {{- include "sequence-sync.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $component }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ $root.Values.config | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "sequence-sync.serviceAccount" . }}
      automountServiceAccountToken: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      terminationGracePeriodSeconds: {{ .grace }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      {{- if $root.Values.topologySpread.enabled }}
      topologySpreadConstraints:
        {{- range $root.Values.topologySpread.keys }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "sequence-sync.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $component }}
        {{- end }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $component }}
          image: {{ include "sequence-sync.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ $component }}]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          env:
            {{- include "sequence-sync.environment" $root | nindent 12 }}
            {{- with $values.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- with .http }}
            - {name: http, containerPort: {{ . }}}
            {{- end }}
            - {name: admin, containerPort: {{ .port }}}
          startupProbe:
            httpGet: {path: /livez, port: admin}
            periodSeconds: 1
            timeoutSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: admin}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: admin}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          {{- with .delay }}
          lifecycle:
            preStop: {exec: {command: [sleep, {{ . | quote }}]}}
          {{- end }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - {name: config, mountPath: /etc/sequence-sync, readOnly: true}
            - {name: tmp, mountPath: /tmp}
            {{- if $secrets }}
            # Not /run/secrets, which /var/run/secrets is too: tokens that others mount there would find no place.
            - {name: secrets, mountPath: /secrets, readOnly: true}
            {{- end }}
            {{- if $federated }}
            - {name: federated-token, mountPath: /var/run/secrets/federated, readOnly: true}
            {{- end }}
      volumes:
        - name: config
          configMap: {name: {{ include "sequence-sync.configMap" $root }}}
        - name: tmp
          emptyDir: {medium: Memory, sizeLimit: 16Mi}
        {{- with $secrets }}
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              {{- range . }}
              - secret: {name: {{ . }}}
              {{- end }}
        {{- end }}
        {{- if $federated }}
        {{- with $root.Values.federatedToken }}
        - name: federated-token
          projected:
            defaultMode: 0440
            sources:
              - serviceAccountToken:
                  path: token
                  audience: {{ .audience }}
                  expirationSeconds: {{ .expirationSeconds }}
              {{- with .googleAudience }}
              - serviceAccountToken:
                  path: google
                  audience: {{ . | quote }}
                  expirationSeconds: {{ $root.Values.federatedToken.expirationSeconds }}
              {{- end }}
        {{- end }}
        {{- end }}
{{- end -}}

{{- /* What this chart decides, over what stands in the configuration file. */ -}}
{{- define "sequence-sync.environment" -}}
- {name: SEQUENCE_SYNC__RECEIVER__PORT, value: "8080"}
- {name: SEQUENCE_SYNC__RECEIVER__ADMIN_PORT, value: "9090"}
- {name: SEQUENCE_SYNC__WORKER__ADMIN_PORT, value: "9091"}
- {name: SEQUENCE_SYNC__API__HOST, value: "::"}
- {name: SEQUENCE_SYNC__API__PORT, value: "8081"}
- {name: SEQUENCE_SYNC__API__ADMIN_PORT, value: "9092"}
- {name: SEQUENCE_SYNC__RECEIVER__DRAIN_DELAY, value: {{ printf "%vs" .Values.receiver.drainDelaySeconds | quote }}}
- {name: SEQUENCE_SYNC__RECEIVER__DRAIN_TIMEOUT, value: {{ printf "%vs" .Values.drainSeconds | quote }}}
- {name: SEQUENCE_SYNC__WORKER__DRAIN_TIMEOUT, value: {{ printf "%vs" .Values.drainSeconds | quote }}}
- {name: SEQUENCE_SYNC__API__DRAIN_TIMEOUT, value: {{ printf "%vs" .Values.drainSeconds | quote }}}
{{- if .Values.ingress.enabled }}
- {name: SEQUENCE_SYNC__RECEIVER__PUBLIC_URL, value: {{ printf "https://%s" .Values.ingress.host | quote }}}
{{- end }}
{{- end -}}

{{- /* A HorizontalPodAutoscaler by CPU, and a PodDisruptionBudget: dicts of `root`, `component` and its `values`. */ -}}
{{- define "sequence-sync.autoscaler" -}}
{{- $name := printf "%s-%s" (include "sequence-sync.name" .root) .component -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sequence-sync.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ .values.autoscaling.minReplicas }}
  maxReplicas: {{ .values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ .values.autoscaling.targetCPUPercent }}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 300}
{{- end -}}

{{- define "sequence-sync.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "sequence-sync.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "sequence-sync.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: {{ .values.disruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "sequence-sync.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end -}}

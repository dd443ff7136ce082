{{- /* Names and labels. `process` is a service or gateway; helpers take (dict "root" $ "process" name). */ -}}

{{- define "fiche.name" -}}
{{- .root.Release.Name | trunc 40 | trimSuffix "-" }}-{{ .process }}
{{- end }}

{{- define "fiche.selector" -}}
app.kubernetes.io/name: fiche
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .process }}
{{- end }}

{{- define "fiche.labels" -}}
{{ include "fiche.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "fiche.image" -}}
{{ .root.Values.image.registry }}/fiche-{{ .process }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- /* What a process is given: the defaults, and what its own values say otherwise. */ -}}
{{- define "fiche.given" -}}
{{- $own := eq .process "gateway" | ternary .root.Values.gateway (index .root.Values.services .process) -}}
{{- toYaml (mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy ($own | default dict))) }}
{{- end }}

{{- /* Services that store or read files have the keys of the object store, and the way to it. */ -}}
{{- define "fiche.stores" -}}
{{- if has . (list "billing" "documents" "imports" "gateway") }}true{{ end }}
{{- end }}

{{- /* The port of an address; without one, its scheme's. */ -}}
{{- define "fiche.port" -}}
{{- $url := urlParse . -}}
{{- contains ":" $url.host | ternary (last (splitList ":" $url.host)) (eq $url.scheme "https" | ternary "443" "80") -}}
{{- end }}

{{- define "fiche.amqpUrl" -}}
{{- with .root.Values.rabbitmq -}}
amqp{{ if .tls }}s{{ end }}://fiche_{{ $.process }}:$(FICHE_PASSWORD)@{{ .host }}:{{ .port }}/{{ .vhost | urlquery }}
{{- end }}
{{- end }}

{{- /* The environment of a process; passwords come from secrets, and Kubernetes puts them into the addresses. */ -}}
{{- define "fiche.env" -}}
{{- $values := .root.Values -}}
- name: FICHE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $values.secrets.passwords }}, key: {{ .process }}}}
- {name: FICHE_HOST, value: 0.0.0.0}
- {name: FICHE_DATA_DIR, value: /tmp/fiche}
- {name: FICHE_LOG_FORMAT, value: json}
- {name: FICHE_URL, value: {{ $values.url | quote }}}
- {name: FICHE_AMQP_URL, value: {{ include "fiche.amqpUrl" . | quote }}}
- {name: FICHE_AMQP_QUORUM, value: {{ $values.rabbitmq.quorum | quote }}}
{{- if $values.otlpUrl }}
- {name: FICHE_OTLP_URL, value: {{ $values.otlpUrl | quote }}}
{{- end }}
{{- if eq .process "gateway" }}
- {name: FICHE_PORT, value: "8000"}
{{- else }}
- {name: FICHE_OPS_PORT, value: "9000"}
- name: FICHE_DATABASE_URL
  value: {{ with $values.postgres }}{{ printf "postgresql://fiche_%s:$(FICHE_PASSWORD)@%s:%d/fiche_{service}?sslmode=%s" $.process .host (int .port) .sslmode | quote }}{{ end }}
{{- end }}
{{- if eq .process "accounts" }}
- name: FICHE_BOOTSTRAP_TOKEN
  valueFrom: {secretKeyRef: {name: {{ $values.secrets.bootstrap }}, key: token}}
{{- end }}
{{- if include "fiche.stores" .process }}
- {name: FICHE_S3_URL, value: {{ $values.s3.url | quote }}}
- {name: FICHE_S3_BUCKET, value: {{ $values.s3.bucket | quote }}}
- {name: FICHE_S3_REGION, value: {{ $values.s3.region | quote }}}
- name: FICHE_S3_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ $values.secrets.objects }}, key: accessKey}}
- name: FICHE_S3_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ $values.secrets.objects }}, key: secretKey}}
{{- end }}
{{- range $name, $value := $values.settings }}
- {name: FICHE_{{ $name | upper }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- define "fiche.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "fiche.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* A job that runs before the release: (dict "root" $ "process" image "job" name "weight" "0" "args" list "env" text). */ -}}
{{- define "fiche.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .root.Release.Name | trunc 35 | trimSuffix "-" }}-{{ .job }}
  labels:
    {{- include "fiche.labels" (dict "root" .root "process" .job) | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 5
  activeDeadlineSeconds: 900
  ttlSecondsAfterFinished: 86400
  template:
    metadata:
      labels:
        {{- include "fiche.selector" (dict "root" .root "process" .job) | nindent 8 }}
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{ toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{ include "fiche.podSecurity" . | nindent 8 }}
      containers:
        - name: {{ .job }}
          image: {{ include "fiche.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          env: {{ .env | nindent 12 }}
          securityContext: {{ include "fiche.containerSecurity" . | nindent 12 }}
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 384Mi}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
      volumes:
        - {name: tmp, emptyDir: {}}
{{- end }}

// Validates custom resources (a JSON list on standard input) against their published models; prints a line a fault.
// The models let unknown fields pass: what the validator never read is unknown.
import * as keda from "@kubernetes-models/keda/keda.sh/v1alpha1";
import * as prometheus from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const models = { "keda.sh/v1alpha1": keda, "monitoring.coreos.com/v1": prometheus };

function watched(value, path, read) {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string") read.add(`${path}/${key}`);
      return watched(Reflect.get(target, key), `${path}/${String(key)}`, read);
    },
  });
}

function unread(value, path, read) {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) =>
    read.has(`${path}/${key}`) ? unread(value[key], `${path}/${key}`, read) : [`${path}/${key} is unknown`],
  );
}

let text = "";
for await (const part of process.stdin) text += part;
for (const resource of JSON.parse(text)) {
  const name = `${resource.kind} ${resource.metadata.name}`;
  const model = models[resource.apiVersion]?.[resource.kind];
  if (!model) {
    console.log(`${name}: no model of ${resource.apiVersion}`);
    continue;
  }
  const { apiVersion, kind, ...rest } = resource;
  const read = new Set(["/metadata", "/apiVersion", "/kind"]);
  try {
    const made = new model(rest);
    for (const key of Object.keys(rest)) if (key !== "metadata") made[key] = watched(rest[key], `/${key}`, read);
    made.validate();
    for (const key of Object.keys(rest)) {
      if (key !== "metadata") for (const fault of unread(rest[key], `/${key}`, read)) console.log(`${name}: ${fault}`);
    }
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
}

// Pages write through the same API as partners: one set of checks, rights and errors.
import { one } from "./dom.js";

/** A refusal: `status` (0: nobody answered) and the problem details. */
export class Refused extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || "La demande n’a pas abouti.");
    this.status = status;
    this.problem = problem;
    this.errors = problem.errors || [];
  }
}

const token = () => one('meta[name="csrf-token"]')?.content || "";

/** Takes the token of forms anew (the session was opened again in another tab). False: nobody is signed in. */
export async function renewToken() {
  const answer = await fetch("/connexion/jeton", { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) return false;
  const meta = one('meta[name="csrf-token"]');
  meta.content = (await answer.json()).csrf_token;
  return true;
}

async function send(method, url, { body, version, key }) {
  const headers = { Accept: "application/json", "X-CSRF-Token": token() };
  if (body !== undefined && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = key || crypto.randomUUID();
  if (version) headers["If-Match"] = String(version).startsWith('"') ? version : `"${version}"`;
  try {
    return await fetch(url, { method, headers, body: body instanceof FormData || body === undefined ? body : JSON.stringify(body) });
  } catch {
    throw new Refused(0, { detail: "Fiche ne répond pas. Rien n’est perdu : vérifiez la connexion, puis recommencez." });
  }
}

/** Calls the API. Answers {data, version, status}; throws `Refused`. `key` is the Idempotency-Key of a POST. */
export async function call(method, url, options = {}) {
  let answer = await send(method, url, options);
  if (answer.status === 403) {
    const problem = await answer.clone().json().catch(() => ({}));
    if (problem.code === "csrf" && (await renewToken())) answer = await send(method, url, options);
  }
  const data = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, data);
  return { data, version: answer.headers.get("ETag"), status: answer.status };
}

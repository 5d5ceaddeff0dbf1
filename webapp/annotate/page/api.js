// Talking to the desk's routes. Decides what is worth another try: everything but an answer that says no.

const PATIENCE_MS = 20_000;

export class Failure extends Error {
  constructor(message, { status = 0, code = "" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get signedOut() {
    return this.status === 401;
  }

  // Trying again would give the same answer.
  get final() {
    return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
  }
}

export function connect(caller) {
  return async function post(name, body = {}) {
    let response;
    try {
      response = await fetch(`/annotate/api/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Requested-With": caller },
        body: JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new Failure("The server cannot be reached.");
    }
    let answer;
    try {
      answer = await response.json();
    } catch {
      throw new Failure("The server's answer was cut off.", { status: response.ok ? 0 : response.status });
    }
    if (!response.ok) throw new Failure(answer.error ?? "The server could not do this.", { status: response.status, code: answer.code });
    return answer;
  };
}

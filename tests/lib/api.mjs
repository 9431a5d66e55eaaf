// The wire as any HTTP client sees it: fetch and JSON, nothing of ours.

/** Calls the server and gives back the status, the headers and the parsed body. */
export async function call(base, method, path, { token, body, text, headers = {}, signal } = {}) {
  const init = { method, headers: { ...headers }, signal };
  if (token) init.headers.authorization = `Bearer ${token}`;
  if (text !== undefined) {
    init.body = text;
    init.headers['content-type'] ??= 'application/json';
  } else if (body instanceof FormData) {
    init.body = body;
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['content-type'] ??= 'application/json';
  }
  const response = await fetch(`${base}${path}`, init);
  const raw = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson && raw ? JSON.parse(raw) : raw };
}

/** One signed-in person. */
export class Person {
  constructor(base, { user, accessToken, refreshToken }) {
    Object.assign(this, { base, user, token: accessToken, refreshToken });
  }

  get id() {
    return this.user.id;
  }

  async ask(method, path, body, headers) {
    return call(this.base, method, `/api/v1${path}`, { token: this.token, body, headers });
  }

  /** The body of an answer that must have this status. */
  async expect(status, method, path, body) {
    const answer = await this.ask(method, path, body);
    if (answer.status !== status) {
      throw new Error(`${method} ${path} gave ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }
}

let people = 0;

/** Registers somebody new. */
export async function register(base, role, name = role) {
  people += 1;
  const body = { email: `${role}${people}@example.test`, password: 'correct horse battery', name, role };
  const answer = await call(base, 'POST', '/api/v1/auth/register', { body });
  if (answer.status !== 201) throw new Error(`register gave ${answer.status}: ${JSON.stringify(answer.body)}`);
  return new Person(base, answer.body);
}

export async function login(base, email, password) {
  const answer = await call(base, 'POST', '/api/v1/auth/login', { body: { email, password } });
  if (answer.status !== 200) throw new Error(`login gave ${answer.status}: ${JSON.stringify(answer.body)}`);
  return new Person(base, answer.body);
}

const DAY = 24 * 60 * 60 * 1000;

/** An instant so many days from now, as the wire writes it. */
export const inDays = (days) => new Date(Date.now() + days * DAY).toISOString();

export const aRequest = {
  title: 'Translate the annual report',
  description: 'About 40 pages, German to English.',
  budget: { amountMinor: 180000, currency: 'EUR' },
};

export const aProposal = () => ({
  price: { amountMinor: 150000, currency: 'EUR' },
  scope: 'Translation and one round of corrections',
  deadline: inDays(30),
  expiresAt: inDays(7),
});

/** A client and an approved provider with an active project between them. */
export async function makeProject(server) {
  const client = await register(server.base, 'client', 'Clara Client');
  const provider = await register(server.base, 'provider', 'Paul Provider');
  await server.approve(provider);
  const request = await client.expect(201, 'POST', '/requests', aRequest);
  const proposal = await provider.expect(201, 'POST', `/requests/${request.id}/proposals`, aProposal());
  const { project, conversation } = await client.expect(201, 'POST', `/proposals/${proposal.id}/accept`);
  return { client, provider, request, proposal, project, conversation };
}

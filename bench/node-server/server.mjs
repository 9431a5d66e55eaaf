// node server.mjs --listen 127.0.0.1:PORT --data-dir DIR: the calls of the bench as a plain Node server answers them.

import { parseArgs } from 'node:util';

import fastify from 'fastify';
import { Server } from 'socket.io';

import { Store } from './database.mjs';
import { fits } from './passwords.mjs';
import { Tokens } from './tokens.mjs';

const MAX_CONTENT = 8_000;
const { values } = parseArgs({ options: { listen: { type: 'string' }, 'data-dir': { type: 'string' } } });
const store = new Store(values['data-dir']);
const tokens = new Tokens(values['data-dir']);
const app = fastify({ logger: false });
const io = new Server(app.server, { serveClient: false });

const nullableText = { type: ['string', 'null'] };
const Message = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    seq: { type: 'integer' },
    conversationId: { type: 'string' },
    senderId: { type: 'string' },
    type: { type: 'string' },
    content: { type: 'string' },
    attachments: { type: 'array', items: { type: 'object', properties: {} } },
    replyToId: nullableText,
    clientId: nullableText,
    createdAt: { type: 'string' },
    editedAt: nullableText,
    deletedAt: nullableText,
    readBy: {
      type: 'array',
      items: { type: 'object', properties: { userId: { type: 'string' }, readAt: { type: 'string' } } },
    },
  },
};
const NewMessage = {
  type: 'object',
  required: ['conversationId', 'content', 'type'],
  properties: {
    conversationId: { type: 'string', maxLength: 36 },
    content: { type: 'string', minLength: 1, maxLength: MAX_CONTENT },
    type: { const: 'text' },
    clientId: { type: 'string', minLength: 1, maxLength: 64 },
    replyToId: { type: 'string', maxLength: 36 },
  },
};
const Page = {
  type: 'object',
  properties: { items: { type: 'array', items: Message }, nextCursor: nullableText },
};
const PageQuery = {
  type: 'object',
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
    cursor: { type: 'string', pattern: '^p[0-9a-f]{1,12}$' },
  },
};
const Login = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string' }, password: { type: 'string' } },
};

/** Refused as `CONTRACT.md` §1 wants it. */
function refuse(reply, status, code) {
  return reply.code(status).type('application/problem+json').serializer(JSON.stringify).send({ status, code });
}

app.decorateRequest('user', null);
function authenticate(request, reply, done) {
  const header = request.headers.authorization;
  const user = header?.startsWith('Bearer ') ? tokens.userOf(header.slice(7)) : undefined;
  if (user === undefined) {
    refuse(reply, 401, 'UNAUTHENTICATED');
    return;
  }
  request.user = user;
  done();
}

app.get('/health/ready', () => ({ status: 'ready' }));

app.post('/api/v1/auth/login', { schema: { body: Login } }, async (request, reply) => {
  const known = store.byEmail.get(request.body.email);
  if (known === undefined || !(await fits(request.body.password, known.password))) {
    return refuse(reply, 401, 'INVALID_CREDENTIALS');
  }
  const { id, name, role } = known;
  return { user: { id, email: request.body.email, name, role }, ...tokens.sign(id) };
});

app.post(
  '/api/v1/messages',
  { onRequest: authenticate, schema: { body: NewMessage, response: { '2xx': Message } } },
  (request, reply) => {
    const { body, user } = request;
    if (body.content.trim() === '') return refuse(reply, 422, 'VALIDATION_FAILED');
    const { refused, isNew, message } = store.append(user, body);
    if (refused !== undefined) return refuse(reply, refused, 'REFUSED');
    // Committed and synced: now everybody in the conversation hears of it.
    if (isNew) io.to(`conversation_${message.conversationId}`).emit('message:new', message);
    return reply.code(isNew ? 201 : 200).send(message);
  },
);

app.get(
  '/api/v1/messages/conversation/:id',
  { onRequest: authenticate, schema: { querystring: PageQuery, response: { 200: Page } } },
  (request, reply) => {
    const { limit, cursor } = request.query;
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number.parseInt(cursor.slice(1), 16);
    const page = store.page(request.user, request.params.id, before, limit);
    return page === undefined ? refuse(reply, 404, 'NOT_FOUND') : reply.send(page);
  },
);

io.use((socket, next) => {
  const user = tokens.userOf(socket.handshake.auth?.token);
  if (user === undefined) return next(new Error('UNAUTHENTICATED'));
  socket.data.user = user;
  return next();
});
io.on('connection', (socket) => {
  const { user } = socket.data;
  socket.join([`user_${user}`, ...store.mine.all(user).map((id) => `conversation_${id}`)]);
});

async function stop() {
  await io.close();
  await app.close();
  store.db.close();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

const [host, port] = values.listen.split(':');
await app.listen({ host, port: Number(port) });
console.log(JSON.stringify({ listening: `${host}:${app.server.address().port}` }));

// The people, their projects and devices, made once and taken through every crash.

import { aProposal, aRequest, register } from '../lib/api.mjs';
import { Device } from '../lib/device.mjs';
import { Fact, Ledger } from './ledger.mjs';
import { Survivor } from './people.mjs';

const PAIRS = 3;

export class World {
  static async make(server, seed) {
    const world = new World();
    Object.assign(world, { server, seed, ledger: new Ledger(), pairs: [], unanswered: [] });
    const providers = [];
    const clients = [];
    for (let number = 0; number < PAIRS; number += 1) {
      clients.push(new Survivor(await register(server.base, 'client', `Client ${number}`), world.ledger));
      providers.push(new Survivor(await register(server.base, 'provider', `Provider ${number}`), world.ledger));
      await server.approve(providers[number]);
    }
    Object.assign(world, { clients, providers, people: [...clients, ...providers] });
    for (const [number, person] of world.people.entries()) {
      // Two devices each: one on a WebSocket, the other as old networks force it, for every other person.
      const second = number % 2 ? ['polling'] : ['polling', 'websocket'];
      person.devices = [new Device(person, `${person.user.name}'s desk`, ['websocket']), new Device(person, `${person.user.name}'s phone`, second)];
      await Promise.all(person.devices.map((device) => device.open()));
    }
    for (let number = 0; number < PAIRS; number += 1) {
      const [client, provider] = [clients[number], providers[number]];
      const request = await client.expect(201, 'POST', '/requests', { ...aRequest, title: `standing request ${number}` });
      const proposal = await provider.expect(201, 'POST', `/requests/${request.id}/proposals`, aProposal());
      const { project, conversation } = await client.expect(201, 'POST', `/proposals/${proposal.id}/accept`);
      world.pairs.push({ client, provider, projectId: project.id, conversationId: conversation.id });
    }
    return world;
  }

  get devices() {
    return this.people.flatMap((person) => person.devices);
  }

  /** What is known of a message's text; its author alone changes it, one change at a time. */
  text(message) {
    const { texts } = this.ledger;
    if (!texts.has(message.id)) texts.set(message.id, new Fact(message.content));
    return texts.get(message.id);
  }

  close() {
    this.people.forEach((person) => person.close());
  }
}

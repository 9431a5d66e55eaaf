import { expect, it } from 'vitest';
import { readRoute, writeRoute } from './routes';

it('what is not known is home', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/project', '#/project/', '#/offer']) {
    expect(readRoute(hash)).toEqual({ screen: 'home' });
  }
});

it('reads what it writes', () => {
  for (const route of [
    { screen: 'project', id: 'a-b' },
    { screen: 'offer', id: '1' },
    { screen: 'settings' },
    { screen: 'ring' },
    { screen: 'home' },
  ] as const) {
    expect(readRoute(writeRoute(route))).toEqual(route);
  }
});

import { expect, it } from 'vitest';
import { isLoopback, serverAddress } from './address';

it('a bare name means https, a loopback name http', () => {
  expect(serverAddress(' parley.example/ ')).toBe('https://parley.example');
  expect(serverAddress('localhost:8750')).toBe('http://localhost:8750');
  expect(serverAddress('127.0.0.1:8750')).toBe('http://127.0.0.1:8750');
  expect(serverAddress('http://10.0.0.7')).toBe('http://10.0.0.7');
  expect(serverAddress('')).toBe('');
});

it('names that only look like this computer are not', () => {
  expect(isLoopback('http://127.0.0.1.evil.example')).toBe(false);
  expect(isLoopback('http://localhost.evil.example')).toBe(false);
  expect(isLoopback('nonsense')).toBe(false);
  expect(isLoopback('http://[::1]:8750')).toBe(true);
});

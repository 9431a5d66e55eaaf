import { expect, it } from 'vitest';
import { appError } from '../backend/backend';
import type { Code } from '../generated/types';
import { fieldProblem, remedyWords, sentence } from './sentences';

it('a code of a newer core gets a sentence too', () => {
  const error = appError('FROM_THE_FUTURE' as Code, 'x');
  expect(sentence(error)).toContain('should not have');
  expect(remedyWords(error)).toBe('Try again');
});

it('never shows the words of the server', () => {
  expect(sentence(appError('INTERNAL', 'panicked at src/main.rs:7'))).not.toContain('main.rs');
});

it('finds the problem of a field by the last step of its pointer', () => {
  const error = { ...appError('INVALID', ''), errors: [{ pointer: '/form/email', message: 'needs an @' }] };
  expect(fieldProblem(error, 'email')).toBe('needs an @');
  expect(fieldProblem(error, 'password')).toBeNull();
  expect(fieldProblem(null, 'email')).toBeNull();
});

import { describe, expect, it } from 'vitest';
import { withoutPosix } from './locale';

describe('the way of writing', () => {
  it('is never that of programs', () => {
    expect(withoutPosix('en-US-u-va-posix')).toBe('en-US');
    expect(new Intl.NumberFormat(withoutPosix('en-US-u-va-posix')).format(8400)).toBe('8,400');
  });

  it('is otherwise the one that the system says', () => {
    for (const locale of ['de-DE', 'en-GB', 'ar-EG-u-nu-arab']) expect(withoutPosix(locale)).toBe(locale);
  });
});

/**
 * How this reader writes numbers and dates. A system without a language setting says "POSIX", whose way of writing
 * (no grouping of digits) is meant for programs: people then get the language alone.
 */
export function withoutPosix(locale: string): string {
  return locale.replace(/-u-va-posix$/i, '');
}

export const readerLocale = withoutPosix(new Intl.NumberFormat().resolvedOptions().locale);

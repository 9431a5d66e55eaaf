import type { Money } from '../generated/types';
import { readerLocale } from './locale';

/** A sum in the reader's own way of writing. Minor units become major ones by the currency's own digits. */
export function money({ amountMinor, currency }: Money, locale: string = readerLocale): string {
  try {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
    const whole = amountMinor % 10 ** digits === 0;
    const shown = whole
      ? new Intl.NumberFormat(locale, {
          style: 'currency',
          currency,
          minimumFractionDigits: 0,
          maximumFractionDigits: 0,
        })
      : format;
    return shown.format(amountMinor / 10 ** digits);
  } catch {
    return `${amountMinor / 100} ${currency}`;
  }
}

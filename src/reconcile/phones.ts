/**
 * Phone numbers compared: text as it was written goes in, its comparable form comes out. That is the number's digits
 * in E.164 (ITU-T), without the +, where the country is known: from a + or 00 in front, or from the settings. Other
 * numbers are compared by the digits that are written. No I/O.
 *
 * An extension makes another phone: behind one switchboard are many people. It comes after an x.
 */
import { type CountryCode, getCountryCallingCode, parsePhoneNumberFromString } from "libphonenumber-js/min";
import { phoneDigits } from "./fold.ts";

export interface Phones {
  /** Null: no country is set, so a number without + or 00 may be of any. */
  readonly country: string | null;
  /** The comparable form. */
  fold(text: string): string;
}

/** `country`: of numbers without + or 00, as in ISO 3166. */
export function createPhones(country: string | null): Phones {
  return { country, fold: (text) => foldPhone(text, country as CountryCode | null) };
}

/** Whether the number names its country. */
export function isInternational(text: string): boolean {
  return /^[^\dx#]*\+/i.test(text) || /^00[1-9]/.test(phoneDigits(text));
}

/** What remains of a number without its country: what its national spelling ends with. */
export function nationalPart(text: string): string {
  const form = foldPhone(text, null);
  const parsed = isInternational(text) ? parsePhoneNumberFromString(`+${form.split("x")[0]!}`) : undefined;
  return form.slice(parsed?.countryCallingCode.length ?? 0).replace(/^0+/, "");
}

function foldPhone(text: string, country: CountryCode | null): string {
  const [digits, extension] = phoneDigits(text).split("x") as [string, string | undefined];
  const number = isInternational(text)
    ? international(digits.replace(/^00(?=[1-9])/, ""))
    : country === null
    ? digits
    : national(digits, country);
  return extension === undefined ? number : `${number}x${extension}`;
}

/** Takes out what is dialled only inside the country: +49 (0)30 is +49 30. */
function international(digits: string): string {
  const parsed = parsePhoneNumberFromString(`+${digits}`);
  return parsed?.isPossible() ? parsed.number.slice(1) : digits;
}

function national(digits: string, country: CountryCode): string {
  const parsed = parsePhoneNumberFromString(digits, country);
  if (!parsed?.isPossible()) return digits;
  if (digits === parsed.nationalNumber && digits.startsWith(getCountryCallingCode(country))) {
    // The 0 in front is missing, and the country's own code is there: a spreadsheet has taken away the +.
    const abroad = parsePhoneNumberFromString(`+${digits}`);
    if (abroad?.isValid() && phoneDigits(parsed.formatNational()) !== digits) return abroad.number.slice(1);
  }
  return parsed.number.slice(1);
}

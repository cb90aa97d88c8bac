import { de } from './de.ts';
import { en, type Texts } from './en.ts';

/** Texts by language (BCP 47, lower case); what one lacks is said in English. */
export type Catalogues = Readonly<Record<string, Partial<Texts>>>;

/** The first is the language of those who ask for none of these. */
export const catalogues: Catalogues = { en, de };

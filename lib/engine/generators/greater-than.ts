import { EngineError } from '../errors.ts';
import type { Example } from '../request.ts';
import { singleToken, type Texts } from '../texts.ts';
import { different, ofCommonLength, singleWords, textsOf, type Drawing } from './generator.ts';

const NOUNS = 'war drought reign siege voyage dispute trial famine journey strike project debate peace campaign search work'.split(' ');
const CENTURIES = ['11', '12', '13', '14', '15', '16', '17', '18'] as const;
/** Years on each side of the drawn one, so that a target and a foil exist. */
const LEAST_YEARS = 4;
const CORRUPT = '01';

/**
 * Greater-than (Hanna et al. 2023): `The war went on from the year 1732 to the year 17`; target is a later year's two
 * digits, foil an earlier one's. The counterfactual starts in year 01 of the century, after which every year is later.
 */
export function greaterThanPrompts(drawing: Drawing): Example[] {
  const texts = textsOf('greater-than', drawing);
  const { draws, count } = drawing;
  const centuries = CENTURIES.map((century) => ({ century, years: yearsOf(century, texts) })).filter(
    ({ years }) => years.length >= LEAST_YEARS,
  );
  if (centuries.length === 0) {
    const expected = `a tokenizer with years as two tokens of two digits, such as " 17" and "32", for ${LEAST_YEARS} years of a century`;
    throw new EngineError('unsupported', 'greater-than prompts', expected, 'other tokens for years');
  }
  const nouns = ofCommonLength(singleWords('greater-than', 'nouns', NOUNS, texts, 1), (noun) => texts.encode(` ${noun}`, false).length);
  return different('greater-than', count, () => {
    const { century, years } = draws.pick(centuries);
    const at = 1 + draws.below(years.length - 2);
    const noun = draws.pick(nouns);
    return {
      clean: sentence(noun, century, years[at]!),
      counterfactual: sentence(noun, century, CORRUPT),
      target: `text:${draws.pick(years.slice(at + 1))}`,
      foil: `text:${draws.pick(years.slice(0, at))}`,
    };
  });
}

function sentence(noun: string, century: string, year: string): string {
  return `The ${noun} went on from the year ${century}${year} to the year ${century}`;
}

/** Two-digit years from 02 on, in order, that are a token of their own, alone and after their century; none where 01 is not. */
function yearsOf(century: string, texts: Texts): string[] {
  const start = singleToken(` ${century}`, texts);
  const isTwoTokens = (year: string) => {
    const [first, second, ...more] = texts.encode(` ${century}${year}`, false);
    return start !== null && first === start && more.length === 0 && second !== undefined && second === singleToken(year, texts);
  };
  if (!isTwoTokens(CORRUPT)) return [];
  return Array.from({ length: 97 }, (_, year) => String(year + 2).padStart(2, '0')).filter(isTwoTokens);
}

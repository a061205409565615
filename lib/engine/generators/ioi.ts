import type { Example } from '../request.ts';
import type { Texts } from '../texts.ts';
import { different, ofCommonLength, singleWords, textsOf, type Drawing } from './generator.ts';

/** {A} and {B} are the two names in either order, {S} the one that comes again; the other is the answer. */
const TEMPLATES = [
  'When {A} and {B} came to the {place}, {S} handed the {object} to',
  'After {A} and {B} had left the {place}, {S} sent the {object} to',
  'While {A} and {B} waited at the {place}, {S} showed the {object} to',
  'Then {A} and {B} met near the {place}, and {S} gave the {object} to',
  'Before {A} and {B} went back to the {place}, {S} lent the {object} to',
  'Once {A} and {B} had found the {place}, {S} passed the {object} to',
] as const;
const NAMES =
  'Mary John Anna Emma Jane Anne Tom James Paul Peter David Mark Sarah Laura Alice Kate Amy Lily Lucy Rose Ruth Sam Max Ben Tim Jack Bob Bill Mike Dan Leo Adam Alex Simon Martin Robert Michael Thomas Henry George Charles William Richard Elizabeth Fanny Edward Susan Rachel Lisa Maria'.split(
    ' ',
  );
const PLACES =
  'house school home store park garden shop church town office station market hospital library beach farm bank bridge river castle hotel kitchen forest village field lake'.split(
    ' ',
  );
const OBJECTS =
  'letter book drink ring ball key box paper money bag gift cup hat map toy card flower picture bottle phone apple stone basket lamp'.split(
    ' ',
  );

interface Words {
  names: string[];
  places: string[];
  objects: string[];
  templates: string[];
}

/**
 * Indirect object identification (Wang et al. 2022), in sentences of our own: target is the name that comes once,
 * foil the repeated one. In the counterfactual a third name does the giving; where the tokenizer has only two names
 * in one token, the other one does.
 */
export function ioiPrompts(drawing: Drawing): Example[] {
  const texts = textsOf('ioi', drawing);
  const { draws, count } = drawing;
  const words: Words = {
    names: singleWords('ioi', 'names', NAMES, texts, 2),
    places: singleWords('ioi', 'places', PLACES, texts, 1),
    objects: singleWords('ioi', 'objects', OBJECTS, texts, 1),
    templates: [],
  };
  words.templates = ofCommonLength(TEMPLATES, (template) => lengthOf(template, words, texts));
  return different('ioi', count, () => {
    const [first, second, third] = draws.sample(words.names, Math.min(3, words.names.length));
    const subject = draws.pick([first!, second!]);
    const other = subject === first ? second! : first!;
    const blanks = { A: first!, B: second!, place: draws.pick(words.places), object: draws.pick(words.objects) };
    const template = draws.pick(words.templates);
    return {
      clean: fill(template, { ...blanks, S: subject }),
      counterfactual: fill(template, { ...blanks, S: third ?? other }),
      target: ` ${other}`,
      foil: ` ${subject}`,
    };
  });
}

function lengthOf(template: string, { names, places, objects }: Words, texts: Texts): number {
  const [A, B] = names;
  return texts.encode(fill(template, { A: A!, B: B!, S: A!, place: places[0]!, object: objects[0]! }), false).length;
}

function fill(template: string, blanks: Record<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, blank: string) => blanks[blank]!);
}

import { EngineError } from '../errors.ts';
import type { Example } from '../request.ts';
import { different, singleWords, textsOf, type Drawing } from './generator.ts';

const WORDS =
  'name value list count size text file path data key index user type mode width height color line part side time place house order state world field table number letter water land field group level point power rate right word work year day case end form group hand head plan position reason result role root rule scale service shape source space speed step stock store style target task term test title token total unit version view weight'.split(
    ' ',
  );
/** Arguments of the function; the docstring has reached the third. */
const ARGUMENTS = 4;
const DESCRIBED = 2;
const DESCRIPTIONS = ['the first one', 'the one in use', 'what is given', 'what is wanted', 'as it is now', 'as it was then'] as const;

/**
 * The docstring task (Heimersheim & Janiak 2023): a Python function whose docstring has described two arguments; the
 * next name is the target, another argument the foil. The counterfactual is the same with other argument names.
 */
export function docstringPrompts(drawing: Drawing): Example[] {
  const texts = textsOf('docstring', drawing);
  const { draws, count } = drawing;
  const words = [...new Set(singleWords('docstring', 'argument names', [...new Set(WORDS)], texts, 2 * ARGUMENTS))];
  const length = texts.encode(source(words.slice(0, ARGUMENTS), [DESCRIPTIONS[0], DESCRIPTIONS[0]]), false).length;
  const descriptions = DESCRIPTIONS.filter(
    (description) => texts.encode(source(words.slice(0, ARGUMENTS), [DESCRIPTIONS[0], description]), false).length === length,
  );
  return different('docstring', count, () => {
    const drawn = draws.sample(words, 2 * ARGUMENTS);
    const [names, others] = [drawn.slice(0, ARGUMENTS), drawn.slice(ARGUMENTS)];
    const described = [draws.pick(descriptions), draws.pick(descriptions)];
    const clean = source(names, described);
    const counterfactual = source(others, described);
    const lengths = [clean, counterfactual].map((text) => texts.encode(text, false).length);
    if (lengths.some((own) => own !== length)) {
      throw new EngineError('unsupported', 'docstring prompts', `${length} tokens in every example`, `${lengths.join(' and ')}`);
    }
    const target = names[DESCRIBED]!;
    return { clean, counterfactual, target: ` ${target}`, foil: ` ${draws.pick(names.filter((name) => name !== target))}` };
  });
}

function source(names: readonly string[], descriptions: readonly string[]): string {
  const params = descriptions.map((description, index) => `    :param ${names[index]}: ${description}`);
  return [`def run(self, ${names.join(', ')}):`, '    """Do the work.', '', ...params, '    :param'].join('\n');
}

import { expect, test } from 'vitest';
import { parsePredicate } from './predicate.ts';
import { DEFAULTS, PATHS, SETTINGS, TEMPLATES, needsFlow, stepsOf } from './templates.ts';

test.each(TEMPLATES)('%s asks for what it reads, and makes predicates of the grammar', (template) => {
  const [, most = 0] = PATHS[template] ?? [];
  expect(most > 0).toBe(SETTINGS[template].includes('paths'));
  expect(needsFlow(template)).toBe(SETTINGS[template].includes('count'));
  const paths = ['input->a0.h0->logits', 'a0.h1->m1->logits'].slice(0, most);
  const steps = stepsOf(template, { ...DEFAULTS[template], paths }, { hasCounterfactual: true, flow: null });
  for (const { predicate, runs } of steps) {
    expect(() => parsePredicate(predicate)).not.toThrow();
    expect(runs.length).toBeGreaterThan(0);
  }
});

test('without a counterfactual, nothing is scrubbed', () => {
  const steps = stepsOf('explain', { ...DEFAULTS.explain, paths: ['a0.h0->logits'] }, { hasCounterfactual: false, flow: null });
  expect(steps.map(({ name }) => name)).toEqual(['share']);
});

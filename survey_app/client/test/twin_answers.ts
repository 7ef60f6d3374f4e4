// Answers the cases of tests/survey_app/test_twins.py: reads JSON on standard input, writes JSON on standard output.
import { readFileSync } from 'node:fs';
import type { Answers, Definition } from '../src/definition.ts';
import { relevantItems, splitByPath } from '../src/routing.ts';
import type { RoutingContext } from '../src/routing.ts';

interface Case {
  readonly definition: Definition;
  readonly answers: Answers;
  readonly context: RoutingContext;
}

const cases = JSON.parse(readFileSync(0, 'utf8')) as Case[];
const results = cases.map(({ definition, answers, context }) => ({
  asked: relevantItems(definition, answers, context).map((item) => item.name),
  on_path: splitByPath(definition, answers, context).onPath,
}));
process.stdout.write(JSON.stringify(results));

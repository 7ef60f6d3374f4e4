// Builds the browser client: hashed, immutable files and `manifest.json` ({name asked for: file name}), into
// `survey_app/static/build` or $BUILD_FOLDER. Nothing is fetched; every warning stops the build.
import { build } from 'esbuild';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const client = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.env.BUILD_FOLDER ?? join(client, '../static/build'));

const SCRIPTS = ['website', 'tablet', 'service_worker'];
/** One file per kind of page, so that a page asks for one style sheet. */
const STYLES = {
  style: ['base', 'questionnaire'],
  tablet: ['base', 'questionnaire', 'tablet'],
  staff: ['base', 'staff', 'charts', 'staff_results', 'staff_forms', 'staff_devices', 'staff_screens'],
  results: ['base', 'charts', 'link_results'],
  print: ['print'],
  preview: ['preview'],
};
const COMMON = { bundle: true, minify: true, write: true, metafile: true, legalComments: 'none', logLevel: 'warning', outdir: folder };
const TARGET = ['chrome109', 'firefox115', 'safari16.4'];

const scripts = SCRIPTS.map((name) => join('src', `${name}.ts`));

const buildScripts = () =>
  build({ ...COMMON, absWorkingDir: client, entryPoints: scripts, entryNames: '[name]-[hash]', format: 'iife', target: TARGET, charset: 'utf8' });

const buildStyle = ([name, parts]) => {
  const contents = parts.map((part) => `@import './${part}.css';`).join('\n');
  // The name must differ from the parts', or esbuild takes an import of that part for a file importing itself.
  const stdin = { contents, resolveDir: join(client, 'src/styles'), sourcefile: `${name}.sheet`, loader: 'css' };
  return build({ ...COMMON, absWorkingDir: client, stdin, entryNames: `${name}-[hash]`, target: TARGET, charset: 'utf8' });
};

/** {"tablet.js": "tablet-ABCD1234.js", …} from what esbuild says it wrote. */
const named = (results) => {
  const files = results.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => basename(path)).sort();
  return Object.fromEntries(files.map((file) => [file.replace(/-[A-Z0-9]{8}(?=\.\w+$)/, ''), file]));
};

mkdirSync(folder, { recursive: true });
const results = await Promise.all([buildScripts(), ...Object.entries(STYLES).map(buildStyle)]);
if (results.some(({ warnings }) => warnings.length > 0)) process.exit(1);
const manifest = named(results);
writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
const kept = new Set(['manifest.json', ...Object.values(manifest)]);
for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file), { recursive: true });

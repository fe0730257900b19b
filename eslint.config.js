// The only linter. Typed rules for TypeScript, plain rules for scripts and configuration files.

import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// What Node gives to every plain module here; a name that is not in the list is taken for a slip of the pen.
const NODE_GLOBALS = {
  Buffer: 'readonly',
  URL: 'readonly',
  clearInterval: 'readonly',
  clearTimeout: 'readonly',
  console: 'readonly',
  performance: 'readonly',
  process: 'readonly',
  setImmediate: 'readonly',
  setInterval: 'readonly',
  setTimeout: 'readonly',
};

// Rules of ESLint itself that the type checker does not cover.
const CORE_RULES = {
  eqeqeq: 'error',
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'no-constant-binary-expression': 'error',
  'no-empty': 'error',
  'no-fallthrough': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unsafe-finally': 'error',
  'no-useless-catch': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
};

const PLAIN_RULES = {
  'no-redeclare': 'error',
  'no-undef': 'error',
  'no-unreachable': 'error',
  'no-unused-vars': 'error',
};

const TYPED_RULES = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { requireDefaultForNonUnion: true }],
  // Parsers and event loops run until they break out.
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
  // `() => stop()` as a callback is plain enough.
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  // Messages are full of sizes, ids and addresses.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  // `bytes[at]!` is how a byte is read under noUncheckedIndexedAccess; a branch per byte would cost more than it says.
  '@typescript-eslint/no-non-null-assertion': 'off',
  // A method that is async by its interface may well have nothing to await.
  '@typescript-eslint/require-await': 'off',
  'no-restricted-syntax': [
    'error',
    { selector: 'ExportAllDeclaration', message: 'Name each export: a door lists what leaves the room.' },
  ],
};

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'mnt/', 'amber-store/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: { ...CORE_RULES, ...TYPED_RULES },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: NODE_GLOBALS },
    rules: { ...CORE_RULES, ...PLAIN_RULES },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } },
    rules: { ...CORE_RULES, ...PLAIN_RULES },
  },
);

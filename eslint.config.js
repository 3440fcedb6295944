import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/dist/', 'node_modules/', 'models/', 'index/', 'demo-index/', '**/*.cjs'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    // AssemblyScript has types of its own.
    ignores: ['src/*/*/kernels/**'],
    extends: tseslint.configs.recommendedTypeChecked,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // A port's methods are async whether or not one of its implementations waits.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    rules: {
      'no-console': 'off',
      eqeqeq: 'error',
      'prefer-const': 'error',
      'max-lines': ['warn', { max: 400, skipBlankLines: false, skipComments: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    // Passes over pixels take addresses, sizes and strides, which an object for each call would only wrap.
    ignores: ['src/*/*/kernels/**', 'src/encoder/picture/{axis-weights,chroma,resize-passes,resize}.ts'],
    rules: { '@typescript-eslint/max-params': ['error', { max: 4 }] },
  },
  {
    files: ['src/http/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.property.name=/^(on|once|addListener|prependListener)$/] > :matches(ArrowFunctionExpression, FunctionExpression)',
          message: 'An emitter calls this from outside the request, where a throw ends the process: wrap it in within(), which says where a throw goes.',
        },
        {
          selector: 'CallExpression[callee.name=/^(setTimeout|setInterval|setImmediate|queueMicrotask)$/] > :matches(ArrowFunctionExpression, FunctionExpression)',
          message: 'A throw in a timer ends the process: wrap it in within(), which says where a throw goes.',
        },
      ],
    },
  },
  // Answers are read as a client of no type would; what they hold is what the tests assert.
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // Fields of plain objects that hold arrow functions, typed as methods.
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': 'off',
    },
  },
);

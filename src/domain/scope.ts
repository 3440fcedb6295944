/** What a key may do; each holds those before it. */
export const scopes = ['read', 'write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export const holds = (scope: Scope, wanted: Scope): boolean => scopes.indexOf(scope) >= scopes.indexOf(wanted);

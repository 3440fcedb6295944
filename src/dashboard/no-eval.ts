import { z } from 'zod';

// zod compiles schemas with `new Function`, which the content security policy refuses. Imported before any schema is made.
z.config({ jitless: true });

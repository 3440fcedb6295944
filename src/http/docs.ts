import { createRequire } from 'node:module';
import path from 'node:path';
import express, { type Router } from 'express';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mixspace API</title>
<link rel="stylesheet" href="./swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./swagger-ui-bundle.js"></script>
<script src="./start.js"></script>
</body>
</html>
`;
const start = `SwaggerUIBundle({ url: '../openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

/** The OpenAPI document as a page, from this process alone. */
export function docs(): Router {
  const router = express.Router();
  const assets = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  router.get('/', (request, response) => {
    // The page names its files beside itself, wherever a proxy shows it.
    if (request.originalUrl.split('?', 1)[0]!.endsWith('/')) response.type('html').send(page);
    else response.redirect(308, 'docs/');
  });
  router.get('/start.js', (_request, response) => void response.type('js').send(start));
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) router.get(`/${file}`, (_request, response) => response.sendFile(path.join(assets, file)));
  return router;
}

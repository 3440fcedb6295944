// packages: @xsai/embed@0.4.4
import { embedMany } from '@xsai/embed';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

same((await embedMany({ apiKey: key, baseURL: `${url}/v1/`, model, input: texts })).embeddings, textVectors);
ran('embedMany');

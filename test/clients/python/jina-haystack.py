# /// script
# requires-python = ">=3.10"
# dependencies = ["jina-haystack==2.0.1"]
# ///
from expected import key, picture_file, picture_vector, ran, same, text_vectors, texts, url
from haystack import Document
from haystack.utils import Secret
from haystack_integrations.components.embedders.jina import JinaDocumentImageEmbedder, JinaTextEmbedder

settings = {"model": "jina-clip-v2", "base_url": f"{url}/v1/embeddings", "api_key": Secret.from_token(key)}
same([JinaTextEmbedder(**settings).run(texts[0])["embedding"]], text_vectors[:1])
ran("JinaTextEmbedder")
document = Document(meta={"file_path": picture_file})
same([each.embedding for each in JinaDocumentImageEmbedder(**settings).run([document])["documents"]], [picture_vector])
ran("JinaDocumentImageEmbedder")

# /// script
# requires-python = ">=3.10"
# dependencies = ["cohere==7.3.1"]
# ///
from cohere import ClientV2
from expected import data_uri, key, model, picture_vector, ran, refused, same, text_vectors, texts, url

client = ClientV2(api_key=key, base_url=url)
same(client.embed(model=model, input_type="search_document", embedding_types=["float"], texts=texts).embeddings.float_, text_vectors)
same(client.embed(model=model, input_type="image", embedding_types=["float"], images=[data_uri]).embeddings.float_, [picture_vector])
ran("embed of texts and of a picture")
ranked = client.rerank(model=model, query=texts[0], documents=texts, top_n=1).results
assert ranked[0].index == 0
ran("rerank")
refused(lambda: client.embed(model="nothing", input_type="search_document", embedding_types=["float"], texts=texts), "nothing")
ran("an unknown model")

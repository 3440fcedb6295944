/** The commonest words of sixteen languages that say nothing of what is looked for, without case and accents. */
const lists = [
  // Arabic
  'في من على الى عن مع و أو هذا هذه ذلك التي الذي كان هو هي ما لا',
  // Dutch
  'de het een en van in op met voor aan bij uit over door naar om te is zijn er die dat niet of als maar onder tegen tussen',
  // English
  'a an the and or of in on at to from with by for as is are was were be been it its this that these those his her their my our your he she they we you i who which what while into onto over under near next up down out off there has have had not no some two three four five one',
  // French
  'le la les l un une des du de d et ou en dans sur sous avec pour par au aux ce cette ces son sa ses mon ma mes est sont qui que pas plus',
  // German
  'der die das den dem des ein eine einen einem einer eines und oder von vom im in am an auf mit bei zu zum zur fur aus uber unter vor nach durch ist sind war waren es sie er wir ich nicht kein keine sich',
  // Italian
  'il lo la i gli le un uno una di del della dei delle e o in nel nella su sul sulla con per da dal dalla a al alla che si non sono',
  // Polish
  'i w we z ze na do od po pod nad przy dla o u a ale jest sa to ten ta te sie nie jak',
  // Portuguese
  'o a os as um uma uns umas de do da dos das e ou em no na nos nas com por para ao aos que se nao seu sua',
  // Russian
  'и в во на с со к ко по за из от до у о об под над при для не но а это эта этот его ее их что как',
  // Spanish
  'el la los las un una unos unas de del y o en con por para a al que se no su sus es son lo',
  // Turkish
  've ile bir bu su o da de icin gibi ama ya mi ne en',
  // Chinese, Japanese, Korean, Thai
  '的 了 在 和 是 与 與 这 這 那 一个 一個 の に は を が で と も へ から まで です ます する いる ある 이 그 저 것 은 는 을 를 의 에 에서 와 과 ที่ และ ใน ของ กับ เป็น มี จาก ไป มา',
];

const known = new Set(lists.flatMap((list) => list.split(' ')));

/** `word`: without case and accents. */
export const isFunctionWord = (word: string): boolean => known.has(word);

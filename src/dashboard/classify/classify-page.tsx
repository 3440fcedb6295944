import type { PageProps } from '../shell/page-props.js';
import { usePageTexts } from '../shell/navigation.js';

export default function ClassifyPage(_: PageProps) {
  const words = usePageTexts();
  return (
    <main>
      <h1>{words.classify}</h1>
    </main>
  );
}

import type { PageProps } from '../shell/page-props.js';
import { usePageTexts } from '../shell/navigation.js';

export default function ComparePage(_: PageProps) {
  const words = usePageTexts();
  return (
    <main>
      <h1>{words.compare}</h1>
    </main>
  );
}

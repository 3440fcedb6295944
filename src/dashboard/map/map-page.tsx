import type { PageProps } from '../shell/page-props.js';
import { usePageTexts } from '../shell/navigation.js';

export default function MapPage(_: PageProps) {
  const words = usePageTexts();
  return (
    <main>
      <h1>{words.map}</h1>
    </main>
  );
}

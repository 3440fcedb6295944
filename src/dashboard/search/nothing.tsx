import type { Collection } from '../../contract/collections.js';
import { texts } from '../shell/language.js';
import { useMayWrite } from '../shell/own-key.js';
import { isNarrowed, withoutNarrowing, type View, type Wanted } from './wanted.js';

const useTexts = texts({
  en: { found: 'Nothing found.', narrowed: 'Nothing here is let through by these filters.', widen: 'Search among all', none: 'No pictures here yet', press: 'Press', add: 'Add', how: 'and choose some, drop them onto this page, or add a whole folder from the command line:', folder: 'FOLDER' },
  de: { found: 'Nichts gefunden.', narrowed: 'Diese Filter lassen hier nichts durch.', widen: 'Unter allen suchen', none: 'Noch keine Bilder hier', press: 'Drücken Sie', add: 'Hinzufügen', how: 'und wählen Sie welche, ziehen Sie sie auf diese Seite, oder fügen Sie von der Befehlszeile einen ganzen Ordner hinzu:', folder: 'ORDNER' },
  zh: { found: '未找到任何内容。', narrowed: '这些筛选条件下没有任何内容。', widen: '在全部内容中搜索', none: '这里还没有图片', press: '点击', add: '添加', how: '并选择图片，或将其拖到此页面，或通过命令行添加整个文件夹：', folder: '文件夹' },
});

/** Why nothing stands here, and what can be done about it. */
export function Nothing({ view: { collection: name, wanted }, collection, onWant }: { view: View; collection: Collection | undefined; onWant: (wanted: Wanted) => void }) {
  const words = useTexts();
  const mayAdd = useMayWrite(name);
  if (isNarrowed(wanted)) {
    return (
      <section class="nothing">
        <p>{words.narrowed}</p>
        <button type="button" onClick={() => onWant(withoutNarrowing(wanted))}>
          {words.widen}
        </button>
      </section>
    );
  }
  if (collection && collection.counts.total > 0) return <p class="nothing">{words.found}</p>;
  const option = name === 'default' ? '' : ` --collection ${name}`;
  return (
    <section class="nothing">
      <h2>{words.none}</h2>
      {mayAdd && (
        <>
          <p>
            {words.press} <b>{words.add}</b> {words.how}
          </p>
          <p>
            <code>
              npx mixspace add{option} {words.folder}
            </code>
          </p>
        </>
      )}
    </section>
  );
}

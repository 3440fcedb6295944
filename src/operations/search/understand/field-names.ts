/** What the commonest fields of metadata are called in sixteen languages: a field "status" is meant by "Zustand" as well. */
const called = [
  'category|categories|kategorie|kategorien|catégorie|catégories|categoria|categoría|categorías|categorie|kategoria|kategorii|kategorię|категория|категории|категорию|kategori|kategorisi|فئة|الفئة|تصنيف|类别|類別|分类|分類|カテゴリ|カテゴリー|카테고리|분류|หมวดหมู่|หมวด|ประเภท',
  'status|zustand|statut|état|estado|situación|stato|situação|statusu|статус|статусом|состояние|durum|durumu|الحالة|حالة|状态|狀態|ステータス|状態|상태|สถานะ',
  'color|colour|colors|colours|farbe|couleur|colore|cor|kleur|kolor|kolorze|kolorem|цвет|цвета|цветом|renk|rengi|اللون|لون|颜色|顏色|カラー|色|색상|색깔|색|สี',
  'camera|kamera|appareil|appareil photo|caméra|cámara|macchina fotografica|fotocamera|câmera|câmara|fototoestel|aparat|aparatem|aparatu|камера|камеры|камерой|камеру|kamerası|كاميرا|الكاميرا|相机|相機|カメラ|카메라|กล้อง',
  'person|people|persons|personen|personne|personnes|persona|personas|persone|pessoa|pessoas|persoon|osoba|osoby|osobą|человек|люди|персона|kişi|kişiler|شخص|الشخص|人物|人|사람|인물|คน|บุคคล',
  'place|location|ort|lieu|lugar|ubicación|luogo|local|plaats|locatie|miejsce|место|konum|yer|مكان|المكان|موقع|地点|地點|位置|場所|장소|위치|สถานที่',
  'city|town|stadt|ville|ciudad|città|cidade|stad|miasto|город|şehir|مدينة|城市|都市|도시|เมือง',
  'country|land|pays|país|paese|kraj|страна|ülke|بلد|دولة|国家|國家|国|국가|나라|ประเทศ',
  'author|creator|photographer|autor|fotograf|auteur|photographe|fotógrafo|autore|fotografo|auteur|fotograaf|автор|фотограф|yazar|fotoğrafçı|مؤلف|المصور|作者|摄影师|攝影師|著者|撮影者|작가|작성자|저자|ผู้เขียน|ช่างภาพ',
  'tag|tags|label|labels|keyword|keywords|schlagwort|stichwort|étiquette|mot-clé|etiqueta|etichetta|etiket|trefwoord|tagi|etykieta|тег|метка|etiketi|وسم|标签|標籤|タグ|태그|แท็ก',
  'type|kind|typ|art|tipo|soort|rodzaj|тип|вид|tür|türü|نوع|النوع|类型|類型|種類|タイプ|유형|종류|ชนิด',
  'project|projekt|projet|proyecto|progetto|projeto|проект|proje|مشروع|项目|項目|專案|プロジェクト|프로젝트|โครงการ',
  'event|ereignis|veranstaltung|événement|evento|evenement|wydarzenie|событие|etkinlik|حدث|活动|活動|イベント|행사|이벤트|กิจกรรม',
  'client|customer|kunde|kunden|cliente|klant|klient|клиент|müşteri|عميل|客户|客戶|顧客|고객|ลูกค้า',
  'title|titel|titre|título|titolo|tytuł|название|заголовок|başlık|عنوان|标题|標題|タイトル|제목|ชื่อ',
  'topic|subject|theme|thema|sujet|thème|tema|assunto|onderwerp|temat|тема|konu|موضوع|主题|主題|テーマ|주제|หัวข้อ',
  'rating|bewertung|évaluation|calificación|valutazione|avaliação|beoordeling|ocena|оценка|рейтинг|puan|تقييم|评分|評分|評価|평점|คะแนน',
  'lens|objektiv|objectif|objetivo|obiettivo|objetiva|obiektyw|объектив|lensi|عدسة|镜头|鏡頭|レンズ|렌즈|เลนส์',
].map((words) => words.split('|'));

/** The field's own name and what it may be called beside, in lower case. `field`: in lower case. */
export function namesOf(field: string): string[] {
  return [...new Set([field, ...called.filter((words) => words.includes(field)).flat()])];
}

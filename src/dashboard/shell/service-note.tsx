import { useEffect, useRef, useState } from 'preact/hooks';
import { useAnnouncements } from './announcements.js';
import { texts } from './language.js';
import type { ServiceState } from './service.js';
import { useSession } from './session.js';

const useTexts = texts({
  en: {
    slow: 'The service takes longer than usual. It is still being waited for.',
    busy: 'The service has much to do. What it could not answer is asked again in a moment.',
    gone: 'The service does not answer. It is tried again by itself; what you have typed stays.',
    back: 'The service answers again.',
  },
  de: {
    slow: 'Der Dienst braucht länger als sonst. Auf seine Antwort wird noch gewartet.',
    busy: 'Der Dienst hat viel zu tun. Was er nicht beantworten konnte, wird gleich noch einmal gefragt.',
    gone: 'Der Dienst antwortet nicht. Es wird von selbst wieder versucht; was Sie getippt haben, bleibt.',
    back: 'Der Dienst antwortet wieder.',
  },
  zh: {
    slow: '服务响应比平时慢，仍在等待。',
    busy: '服务繁忙，未完成的请求稍后会自动重试。',
    gone: '服务没有响应，正在自动重试；您输入的内容不会丢失。',
    back: '服务已恢复。',
  },
});

/** Over whichever page, while the service is not as it should be. */
export function ServiceNote() {
  const words = useTexts();
  const state = useServiceState();
  const { say } = useAnnouncements();
  const wasGone = useRef(false);
  useEffect(() => {
    if (state !== 'gone' && wasGone.current) say(words.back);
    wasGone.current = state === 'gone';
  }, [state]);
  return (
    <div class="service-note" role="status">
      {state !== 'there' && <p>{words[state]}</p>}
    </div>
  );
}

function useServiceState(): ServiceState {
  const { service } = useSession();
  const [state, setState] = useState(service.state);
  useEffect(() => {
    setState(service.state);
    return service.follow(() => setState(service.state));
  }, [service]);
  return state;
}

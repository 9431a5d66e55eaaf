import type { AppEvent, LibraryView } from '../../generated/types';
import { Refusal, appError } from '../backend';

const MISSING: LibraryView = {
  state: 'missing',
  needed: 'Agora’s server gateway library for Linux on x86_64',
  parts: 1,
  page: 'https://docs.agora.io/en/api-reference/sdks',
  folder: '/home/helena/.local/share/app.parley.desktop/agora-sdk',
  named: false,
  product: null,
  version: null,
  downloads: [],
  restart: false,
  problem: null,
};
const INSTALLED: LibraryView = {
  ...MISSING,
  state: 'fits',
  product: MISSING.needed,
  version: '4.4.32.174, build 28020',
  downloads: ['agora_rtc_sdk_x86_64-linux-gnu-v4.4.32.174_28020_SERVER_20260601.zip'],
};

/**
 * The library of the demonstration. Scenes: `library`, `library-old`, `library-named`, `library-nowhere`, `library-restart`;
 * `library-hanging` is looked at without end, `library-broken` can be looked at the second time only; in `failing`
 * every download is refused.
 */
export class FakeLibrary {
  view: LibraryView;
  #looks = 0;

  constructor(
    readonly scene: string,
    readonly tell: (event: AppEvent) => void,
  ) {
    this.view = scene === 'library' ? INSTALLED : MISSING;
    if (scene === 'library-named') this.view = { ...INSTALLED, named: true, folder: '/opt/agora_sdk', downloads: [] };
    if (scene === 'library-nowhere') this.view = { ...MISSING, named: true, folder: '/opt/agora_sdk' };
    if (scene === 'library-restart') this.view = { ...INSTALLED, restart: true };
    if (scene === 'library-old') {
      const file = `${MISSING.folder}/libagora_rtc_sdk.so`;
      const lacks = 'it has no function agora_audio_sink_create';
      const needed = 'Agora’s server gateway library 4.4.32.154 or newer';
      const problem = `${file} is too old (${lacks}); needed is ${needed}.`;
      this.view = { ...MISSING, state: 'refused', problem, downloads: ['agora_rtc_sdk-x86_64-v4.4.31.zip'] };
    }
  }

  look(): LibraryView | Promise<LibraryView> {
    if (this.scene === 'library-hanging') return new Promise(() => undefined);
    this.#looks += 1;
    if (this.scene === 'library-broken' && this.#looks === 1) throw new Refusal(appError('INTERNAL', ''));
    return this.view;
  }

  install(): LibraryView {
    if (this.scene === 'failing') {
      const detail =
        '/home/helena/Downloads/agora.zip/x64/Release/AgoraRtcWrapper.dll was made for Windows on x86_64; needed is the one for Linux on x86_64.';
      throw new Refusal(appError('LIBRARY_REFUSED', detail));
    }
    return this.#change(INSTALLED);
  }

  remove(): LibraryView {
    return this.#change(MISSING);
  }

  #change(view: LibraryView): LibraryView {
    this.view = view;
    this.tell({ event: 'library', payload: view });
    return view;
  }
}

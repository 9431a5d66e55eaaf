import '@fontsource-variable/inter';
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { chooseBackend } from './lib/backend/choose';
import { Look } from './lib/look/look.svelte';
import { browserMemory } from './lib/look/memory';
import { Parley } from './lib/parley.svelte';
import { Attention } from './lib/session/attention.svelte';

const memory = browserMemory();
const look = new Look(memory, document.documentElement, (query) => matchMedia(query));
const attention = new Attention(document, window);

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has an element with the id app');
const parley = new Parley(await chooseBackend(), look, memory);
mount(App, { target, props: { parley, attention } });
await parley.begin();

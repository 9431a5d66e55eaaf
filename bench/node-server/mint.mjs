// node mint.mjs SECONDS: how many tokens npm `agora-token` mints in that time, of the kind that a meeting's are.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { RtcTokenBuilder, RtcRole } = require('agora-token');

const APP_ID = '970CA35de60c44645bbae8a215061b33';
const CERTIFICATE = '5CFd2fd1755d40ecb72977518be15d3b';
const CHANNEL = '7d72365eb983485397e3e3f9d460bdda';
const BATCH = 1_000;

function mint(count) {
  let characters = 0;
  for (let uid = 1; uid <= count; uid += 1) {
    characters += RtcTokenBuilder.buildTokenWithUid(APP_ID, CERTIFICATE, CHANNEL, uid, RtcRole.PUBLISHER, 3600, 3600).length;
  }
  return characters;
}

const wanted = Number(process.argv[2]) * 1000;
mint(20 * BATCH);
let minted = 0;
const begun = performance.now();
while (performance.now() - begun < wanted) {
  if (mint(BATCH) < BATCH * 100) throw new Error('these are no tokens');
  minted += BATCH;
}
console.log(JSON.stringify({ tokensPerSecond: (minted * 1000) / (performance.now() - begun), threads: 1 }));

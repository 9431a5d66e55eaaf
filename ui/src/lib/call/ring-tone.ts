/** E5 and B4: a falling fourth, heard as a question, not as an alarm. */
const NOTES = [659.26, 493.88];
const NOTE_S = 0.42;
const EVERY_MS = 3000;
/** Of full scale: soft beside speech. */
const LEVEL = 0.12;

/** Rings with two soft notes every three seconds until the returned function is called. Silent where sound is missing. */
export function startRinging(): () => void {
  if (typeof AudioContext === 'undefined') return () => undefined;
  const audio = new AudioContext();
  const ring = (): void => NOTES.forEach((pitch, index) => playNote(audio, pitch, audio.currentTime + index * NOTE_S));
  void audio.resume().catch(() => undefined);
  ring();
  const again = setInterval(ring, EVERY_MS);
  return () => {
    clearInterval(again);
    void audio.close().catch(() => undefined);
  };
}

function playNote(audio: AudioContext, pitch: number, at: number): void {
  const tone = audio.createOscillator();
  const loudness = audio.createGain();
  tone.type = 'sine';
  tone.frequency.value = pitch;
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(LEVEL, at + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S * 2);
  tone.connect(loudness).connect(audio.destination);
  tone.start(at);
  tone.stop(at + NOTE_S * 2);
}

import { type Frame, chroma } from './frame';
import type { Painter } from './painter';

const VERTEX = `
attribute vec2 place;
varying vec2 at;
void main() {
  at = vec2(place.x * 0.5 + 0.5, 0.5 - place.y * 0.5);
  gl_Position = vec4(place, 0.0, 1.0);
}`;

/** BT.601, limited range: what WebRTC and both engines send. */
const FRAGMENT = `
precision mediump float;
uniform sampler2D luma;
uniform sampler2D blue;
uniform sampler2D red;
varying vec2 at;
void main() {
  float y = 1.164384 * (texture2D(luma, at).r - 0.062745);
  float u = texture2D(blue, at).r - 0.501961;
  float v = texture2D(red, at).r - 0.501961;
  gl_FragColor = vec4(y + 1.596027 * v, y - 0.391762 * u - 0.812968 * v, y + 2.017232 * u, 1.0);
}`;

/** Draws I420 by a shader: three textures, one rectangle. Null where WebGL is missing. */
export function makeWebglPainter(canvas: HTMLCanvasElement | OffscreenCanvas): Painter | null {
  const gl = canvas.getContext('webgl', {
    alpha: false,
    antialias: false,
    depth: false,
    stencil: false,
    // The picture can be read back at any time: a screenshot of the window shows it.
    preserveDrawingBuffer: true,
  }) as WebGLRenderingContext | null;
  if (gl === null) return null;
  const program = buildProgram(gl);
  if (program === null) return null;

  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  const place = gl.getAttribLocation(program, 'place');
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, 0);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  const planes = ['luma', 'blue', 'red'].map((name, unit) => makePlane(gl, program, name, unit));
  let size = '';

  function upload(frame: Frame): void {
    const halfWidth = chroma(frame.width);
    const halfHeight = chroma(frame.height);
    const lumaLength = frame.width * frame.height;
    const chromaLength = halfWidth * halfHeight;
    const sides = [
      [frame.width, frame.height, 0, lumaLength],
      [halfWidth, halfHeight, lumaLength, chromaLength],
      [halfWidth, halfHeight, lumaLength + chromaLength, chromaLength],
    ] as const;
    const fresh = `${frame.width}x${frame.height}`;
    sides.forEach(([width, height, from, length], unit) => {
      if (gl === null) return;
      const pixels = frame.planes.subarray(from, from + length);
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, planes[unit] ?? null);
      if (fresh === size) {
        gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.LUMINANCE, gl.UNSIGNED_BYTE, pixels);
      } else {
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.LUMINANCE, width, height, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, pixels);
      }
    });
    size = fresh;
  }

  return {
    kind: 'webgl',
    draw(frame) {
      if (canvas.width !== frame.width || canvas.height !== frame.height) {
        canvas.width = frame.width;
        canvas.height = frame.height;
      }
      gl.viewport(0, 0, frame.width, frame.height);
      upload(frame);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    },
    finish() {
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    },
    release() {
      for (const plane of planes) gl.deleteTexture(plane);
      gl.deleteProgram(program);
    },
  };
}

function makePlane(gl: WebGLRenderingContext, program: WebGLProgram, name: string, unit: number): WebGLTexture | null {
  const texture = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.uniform1i(gl.getUniformLocation(program, name), unit);
  return texture;
}

function buildProgram(gl: WebGLRenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) === true ? program : null;
}

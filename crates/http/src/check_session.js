/* OpenID Connect Session Management 1.0 section 3.2. It is plain ECMAScript 5 with a hash function of its own,
   because it answers at once, also in browsers without newer interfaces. */
(function () {
  'use strict';

  var name = document.documentElement.getAttribute('data-cookie');

  /* The constants of FIPS 180-4 section 4.2.2. */
  var K = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
  ];

  function rotated(word, by) {
    return (word >>> by) | (word << (32 - by));
  }

  /* SHA-256 of a text of ASCII characters, in hexadecimal (FIPS 180-4 section 6.2). */
  function sha256(text) {
    var blocks = ((text.length + 8) >> 6) + 1;
    var words = [];
    var hash = [
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
    ];
    var i, block, w, s, t, t1, t2, hex;
    for (i = 0; i < blocks * 16; i += 1) {
      words[i] = 0;
    }
    for (i = 0; i < text.length; i += 1) {
      words[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));
    }
    words[text.length >> 2] |= 0x80 << (24 - 8 * (text.length & 3));
    words[blocks * 16 - 1] = text.length * 8;

    for (block = 0; block < blocks; block += 1) {
      w = words.slice(block * 16, block * 16 + 16);
      s = hash.slice();
      for (t = 0; t < 64; t += 1) {
        if (t >= 16) {
          w[t] = (w[t - 16] + w[t - 7] +
            (rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ (w[t - 15] >>> 3)) +
            (rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ (w[t - 2] >>> 10))) | 0;
        }
        t1 = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) +
          ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[t] + w[t];
        t2 = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) +
          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s = [(t1 + t2) | 0, s[0], s[1], s[2], (s[3] + t1) | 0, s[4], s[5], s[6]];
      }
      for (i = 0; i < 8; i += 1) {
        hash[i] = (hash[i] + s[i]) | 0;
      }
    }
    hex = '';
    for (i = 0; i < 8; i += 1) {
      hex += ('0000000' + (hash[i] >>> 0).toString(16)).slice(-8);
    }
    return hex;
  }

  /* The browser's state, from the cookie. It is read each time, because it may have changed. */
  function state() {
    var pairs = document.cookie.split('; ');
    var i;
    for (i = 0; i < pairs.length; i += 1) {
      if (pairs[i].indexOf(name + '=') === 0) {
        return pairs[i].slice(name.length + 1);
      }
    }
    return '';
  }

  /* `Client ID + " " + Session State`, where the session state is a digest, a dot and a salt. */
  function answer(message, origin) {
    var blank, client, given, salt;
    if (typeof message !== 'string' || message.length > 2048 || !/^[\x20-\x7e]+ [\x21-\x7e]+$/.test(message)) {
      return 'error';
    }
    blank = message.lastIndexOf(' ');
    client = message.slice(0, blank);
    given = message.slice(blank + 1);
    salt = given.slice(given.indexOf('.') + 1);
    return given === sha256([client, origin, state(), salt].join(' ')) + '.' + salt ? 'unchanged' : 'changed';
  }

  /* A page that has no origin cannot be answered, and no client has it. */
  function reply(event, isReadable) {
    if (event.source && /^https?:\/\/[^\s]+$/.test(event.origin)) {
      event.source.postMessage(isReadable ? answer(event.data, event.origin) : 'error', event.origin);
    }
  }

  /* Where the browser keeps our cookie from frames of other sites, nothing can be compared. A client that was told
     `changed` each time would sign the person out, or ask for ever (section 5.1). The answer must not depend on the
     cookie: whether this browser has been here is nobody's business. */
  var access = document.hasStorageAccess ? document.hasStorageAccess() : null;

  window.addEventListener('message', function (event) {
    if (access) {
      access.then(function (isReadable) { reply(event, isReadable); }, function () { reply(event, true); });
    } else {
      reply(event, true);
    }
  }, false);
}());

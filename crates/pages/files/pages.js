// What pages do besides where scripts run. They work as well without it.
(function () {
  // A password can be shown, to find a slip of the finger. It is never sent or kept as plain text.
  document.querySelectorAll('button.reveal').forEach(function (button) {
    var field = document.getElementById(button.getAttribute('aria-controls'));
    function set(shown) {
      field.type = shown ? 'text' : 'password';
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
      button.setAttribute('aria-label', shown ? button.dataset.hideLabel : button.dataset.showLabel);
    }
    button.addEventListener('click', function () { set(field.type === 'password'); field.focus(); });
    field.form.addEventListener('submit', function () { set(false); });
    window.addEventListener('pagehide', function () { set(false); });
    button.hidden = false;
  });
  // What has to be told to somebody, or put into a file, can be copied. Browsers give a clipboard to secure pages alone.
  document.querySelectorAll('button.copies').forEach(function (button) {
    if (!navigator.clipboard) return;
    var what = document.getElementById(button.dataset.what);
    button.addEventListener('click', function () {
      navigator.clipboard.writeText(what.textContent.trim()).then(function () { button.textContent = button.dataset.done; });
    });
    button.hidden = false;
  });
  // A time stands there in UTC. Whoever looks has another clock, and a way to write it: "en" alone is that of the United States.
  var lang = document.documentElement.lang;
  var locale = navigator.languages.find(function (one) { return one.split('-')[0] === lang; }) || lang;
  document.querySelectorAll('time').forEach(function (time) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
  });
  // Whoever goes back to a page that answers a form, or loads it again, would be asked whether to send the form once more.
  var entered = document.querySelector('main').dataset.enteredAt;
  if (entered && new URL(entered).origin === location.origin) history.replaceState(null, '', entered);
})();

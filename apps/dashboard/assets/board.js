// Runs before Bull Board's scripts. Its pages keep asking for news when the session is over; loading the page
// again leads to the login, and from there back to where one was.
const { send } = XMLHttpRequest.prototype;
let leaving = false;

XMLHttpRequest.prototype.send = function (...args) {
  this.addEventListener("load", () => {
    if (this.status !== 401 || leaving) return;
    leaving = true;
    location.reload();
  });
  return send.apply(this, args);
};

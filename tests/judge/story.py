"""What happens in the small town that the checker is tried on."""

from datetime import timedelta

from services.intake.domain.command import AddInformation, AskReopening, Erase, Withdraw
from services.router.domain.act import Act as Asked
from tests.judge.evidence import Act
from tests.judge.small_town import SmallTown


class Story(SmallTown):
    """Four requests: one worked on by everybody, one that nobody touches, one withdrawn and erased, one resolved at once."""

    def __init__(self) -> None:
        super().__init__()
        self.worked, self.untouched = self.post(1), self.post(2, "maire")
        self.erased, self.resolved = self.post(3, "etat-civil"), self.post(4, "education")
        self.send_mails()
        self.wait_until(self.now + timedelta(hours=3, minutes=7))
        self.act("router", self.worked, Asked(action="take_charge", by="an-agent"))
        self.wait_until(self.now + timedelta(hours=1))
        self.act("router", self.worked, Asked(action="answer", by="an-agent", sealed="an-answer"))
        self.act("intake", self.worked, AddInformation("a-message"))
        self.act("router", self.worked, Asked(action="transfer", target="proprete", by="an-agent", sealed="an-agent"))
        self.act("router", self.worked, Asked(action="resolve", by="an-agent", sealed="an-agent"))
        self.act("intake", self.worked, AskReopening("a-wish"))
        self.act("router", self.worked, Asked(action="take_charge", by="an-agent"))
        self.act("router", self.resolved, Asked(action="resolve", by="an-agent", sealed="an-agent"))
        self.act("intake", self.erased, Withdraw())
        self.send_mails()
        self.act("intake", self.erased, Erase())
        self.keys.discard(self.erased)
        self.history.quiet_at = self.now
        self.wait_until(self.now + timedelta(days=40))
        self.send_mails()
        self.history.checked_at = self.now
        done = [(self.worked, "take_charge"), (self.worked, "answer"), (self.worked, "add"), (self.worked, "transfer")]
        done += [(self.worked, "resolve"), (self.worked, "reopen"), (self.worked, "take_charge"), (self.resolved, "resolve")]
        done += [(self.erased, "withdraw")]
        self.done = [Act(request_id, what, "done") for request_id, what in done]  # type: ignore[arg-type]  # words of Act
        self.history.acts, self.history.erasures = self.done, {self.erased: "done"}
